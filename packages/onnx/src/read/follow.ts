import { OnnxError, OnnxUnsupportedError } from '../errors'
import { BY_LENGTH } from './by-length'
import { DENSE } from './dense'
import type { Constant, OnnxFile, OnnxNode } from './file'
import { folded } from './fold'
import type { GraphReader, Operator } from './operator'
import { RECURRENT } from './recurrent'
import { SHAPES } from './shapes'
import { type Axis, constantValue, type Draft, type Row, type TensorValue, type Value } from './values'

const OPERATORS: Readonly<Record<string, Operator>> = { ...SHAPES, ...DENSE, ...RECURRENT, ...BY_LENGTH }

/**
 * Follows the tensors of a graph from operation to operation, without running it: transposes and shapes fall away, and
 * what remains is the layers and what each reads.
 */
export class Follower implements GraphReader {
  /** The layers to be, by name, in the order of the graph. */
  readonly drafts = new Map<string, Draft>()
  /** The inputs that are tensors to compute with. */
  readonly inputs: { name: string; isInteger: boolean; axes: readonly Axis[] }[] = []
  /** The input that has the lengths of rows. */
  lengths: string | undefined
  private readonly values = new Map<string, Value>()
  private readonly uses = new Map<string, number>()

  readonly opset: number

  constructor(readonly file: OnnxFile) {
    this.opset = file.opset
    const strange = [...new Set(file.nodes.map(({ op }) => op).filter((op) => !Object.hasOwn(OPERATORS, op)))].sort()
    if (strange.length > 0) {
      // Before opset 17 PyTorch wrote a LayerNorm out.
      const isNorm = file.opset < 17 && strange.includes('Sqrt') && strange.includes('Pow')
      const fix = isNorm ? '; if it has a LayerNorm, export it with opset_version=17 or newer' : ''
      throw new OnnxUnsupportedError(
        `the model has operations that Rowwise does not have: ${strange.join(', ')}${fix}; it reads ${Object.keys(OPERATORS).sort().join(', ')}`,
        { operations: strange },
      )
    }
    for (const constant of file.constants) this.values.set(constant.name, constantValue(constant))
    for (const { inputs } of file.nodes)
      for (const input of inputs) this.uses.set(input, (this.uses.get(input) ?? 0) + 1)
    for (const { name } of file.outputs) this.uses.set(name, (this.uses.get(name) ?? 0) + 1)
    // What nothing reads, such as lengths for layers without steps, need not be given.
    for (const { name, dims, isInteger } of file.inputs.filter(({ name }) => this.uses.has(name))) {
      const axes = dims.map(
        (size, at): Axis => ({
          size,
          ...(!isInteger && dims.length > 1 && at === dims.length - 1 && { role: 'features' }),
        }),
      )
      this.inputs.push({ name, isInteger, axes })
      this.values.set(name, { kind: 'tensor', of: name, axes })
    }
    for (const node of file.nodes) this.follow(node)
  }

  /** What is known of a value; fails where it is not there. */
  value(name: string): Value {
    const value = this.values.get(name)
    if (value) return value
    throw new OnnxError(`the graph reads '${name}', which is not computed before it`)
  }

  input(node: OnnxNode, at: number): Value | undefined {
    const name = node.inputs[at]
    return name === undefined || name === '' ? undefined : this.value(name)
  }

  tensor(node: OnnxNode, at: number): TensorValue {
    const value = this.input(node, at)
    const tensor = value && this.asTensor(value)
    const isWhole = tensor?.axes.every(({ role }) => role !== 'direction')
    if (tensor && isWhole && (tensor.axes.at(-1)?.role === 'features' || this.isIndices(tensor.of))) return tensor
    if (tensor && isWhole) throw this.refusal(node, 'the axes of its input are not in the order that a layer reads')
    throw this.refusal(node, `its input ${at} is ${describe(value)}`)
  }

  asTensor(value: Value): TensorValue | undefined {
    if (value.kind === 'tensor') return value.side === undefined && !value.flipped ? value : undefined
    if (value.kind !== 'rows' || value.form === 'stack') return undefined
    const { of } = value.rows[0]
    const draft = this.drafts.get(of)
    if (draft?.kind !== 'recurrent') return undefined
    const isFinal =
      value.rows.length === (draft.layers[0] as unknown[]).length &&
      value.rows.every((row, at) => row.of === of && row.which === value.rows[0].which && row.at === at)
    const place = value.rows[0].which === 'h' ? 'final' : 'finalCell'
    return isFinal ? { kind: 'tensor', of: `${of}.${place}`, axes: value.axes } : undefined
  }

  floats(node: OnnxNode, at: number, ...ranks: number[]): Constant & { floats: Float32Array } {
    const value = this.input(node, at)
    if (value?.kind === 'constant' && (ranks.length === 0 || ranks.includes(value.constant.dims.length)))
      return value.constant
    const of = ranks.length > 0 ? ` of ${ranks.join(' or ')} axes` : ''
    throw this.refusal(node, `its input ${at} is ${describe(value)}, expected a constant${of}`)
  }

  integers(node: OnnxNode, at: number): readonly number[] | undefined {
    const value = this.input(node, at)
    if (value === undefined) return undefined
    if (value.kind === 'integers' && value.items.every((item) => typeof item === 'number'))
      return value.items as readonly number[]
    throw this.refusal(node, `its input ${at} is ${describe(value)}, expected constant integers`)
  }

  add(draft: Draft, axes: readonly Axis[]): TensorValue {
    const base = draft.hint
    let free = base
    for (let count = 2; this.drafts.has(free) || this.inputs.some(({ name }) => name === free); count++)
      free = `${base}_${count}`
    this.drafts.set(free, draft)
    const last = axes.at(-1)
    const features: Axis[] = last && last.role === undefined ? [{ ...last, role: 'features' }] : []
    return { kind: 'tensor', of: free, axes: features.length > 0 ? [...axes.slice(0, -1), ...features] : axes }
  }

  isUsedOnce(name: string): boolean {
    return this.uses.get(name) === 1
  }

  rowsOf(value: Value): readonly Row[] | undefined {
    if (value.kind === 'rows') return value.rows
    const input = value.kind === 'tensor' ? this.inputs.find(({ name }) => name === value.of) : undefined
    if (value.kind !== 'tensor' || !input?.axes.every((axis, at) => axis === value.axes[at])) return undefined
    const [{ size }] = value.axes
    return size === undefined || value.axes.length !== 3
      ? undefined
      : Array.from({ length: size }, (_, at): Row => ({ of: value.of, which: 'input', at }))
  }

  /** What the graph puts out. */
  outputs(): { name: string; value: Value }[] {
    return this.file.outputs.map(({ name }) => ({ name, value: this.value(name) }))
  }

  refusal({ op, name, outputs }: OnnxNode, reason: string): OnnxUnsupportedError {
    return new OnnxUnsupportedError(`${op} '${name || outputs[0]}' cannot be read: ${reason}`, { operations: [op] })
  }

  private isIndices(name: string): boolean {
    return this.inputs.some((input) => input.name === name && input.isInteger)
  }

  private follow(node: OnnxNode): void {
    const found = folded(this, node) ?? (OPERATORS[node.op] as Operator).call(this, node)
    if (found === undefined)
      throw this.refusal(
        node,
        `its inputs are ${node.inputs.map((input) => describe(this.values.get(input))).join(', ')}`,
      )
    const values = Array.isArray(found) ? (found as readonly (Value | undefined)[]) : [found as Value]
    node.outputs.forEach((output, at) => {
      const value = values[at]
      if (output !== '' && value) this.values.set(output, value)
    })
  }
}

function describe(value: Value | undefined): string {
  if (value === undefined) return 'absent'
  if (value.kind === 'constant') return `the constant '${value.constant.name}' [${value.constant.dims}]`
  if (value.kind === 'tensor')
    return value.side === undefined ? `the output of ${value.of}` : `one direction of ${value.of}`
  if (value.kind === 'rows') return `states of ${[...new Set(value.rows.map(({ of }) => of))].join(' and ')}`
  const isOfLoop = value.kind === 'step' || ('of' in value && !('axes' in value))
  return isOfLoop ? `part of a loop, ${value.kind}` : value.kind
}
