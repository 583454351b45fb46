import type { OnnxUnsupportedError } from '../errors'
import type { Constant, OnnxNode } from './file'
import type { Axis, Draft, Row, TensorValue, Value } from './values'

/** What operations know of the graph that they are in. */
export interface GraphReader {
  /** The version of ONNX's own operations. */
  readonly opset: number
  /** The layers to be, by name, in the order of the graph. */
  readonly drafts: Map<string, Draft>
  /** The inputs that are tensors to compute with. */
  readonly inputs: readonly { name: string; isInteger: boolean; axes: readonly Axis[] }[]
  /** The input that has the lengths of rows. */
  lengths: string | undefined
  /** What is known of an operation's input; undefined where it has none. */
  input(node: OnnxNode, at: number): Value | undefined
  /** A tensor that an operation reads; a final state counts as one. */
  tensor(node: OnnxNode, at: number): TensorValue
  /** A value as a tensor that a layer may read; undefined where it is none. */
  asTensor(value: Value): TensorValue | undefined
  /** A constant of floats, with as many axes as it may have. */
  floats(node: OnnxNode, at: number, ...ranks: number[]): Constant & { floats: Float32Array }
  /** Integers that are known; undefined where there is no such input. */
  integers(node: OnnxNode, at: number): readonly number[] | undefined
  /** Adds a layer, and gives what it computes. */
  add(draft: Draft, axes: readonly Axis[]): TensorValue
  /** Whether nothing but one operation reads a value. */
  isUsedOnce(name: string): boolean
  /** The rows of a stack of states; undefined for what is none. */
  rowsOf(value: Value): readonly Row[] | undefined
  /** An error about an operation whose like Rowwise has, but not in this way. */
  refusal(node: OnnxNode, reason: string): OnnxUnsupportedError
}

/** What an operation does with what is known of its inputs; undefined where Rowwise has no layer for it. */
export type Operator = (this: GraphReader, node: OnnxNode) => Value | readonly (Value | undefined)[] | undefined

/** An axis that may be counted from the end. */
export function axisAt(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** The axes of an operation: an input, an attribute in older opsets; undefined where it has neither. */
export function axesOf(reader: GraphReader, node: OnnxNode, rank: number, at = 1): number[] | undefined {
  const given = reader.integers(node, at) ?? (node.attributes.axes as number[] | undefined)
  return given?.map((axis) => axisAt(axis, rank))
}

/** Whether an axis counts steps. Where no recurrent layer has shown that yet, the second of three does, as in Rowwise. */
export function isStepAxis(reader: GraphReader, axes: readonly Axis[], at: number): boolean {
  const [first, second] = axes
  const isOpen = axes.length === 3 && at === 1 && first.role === undefined && second.role === undefined
  if (isOpen && reader.inputs.every((input) => isInOrder(input.axes, first, second))) {
    first.role = 'batch'
    second.role = 'time'
  }
  return axes[at]?.role === 'time'
}

/** Whether axes do not have `second` before `first`. */
function isInOrder(axes: readonly Axis[], first: Axis, second: Axis): boolean {
  return !axes.slice(0, axes.indexOf(first)).includes(second) || !axes.includes(first)
}
