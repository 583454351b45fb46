import type { GateActivation } from '@rowwise/models-rnn'
import { OnnxUnsupportedError } from '../errors'
import type { Constant } from './file'

/** An axis of a tensor that is followed through the graph; the same object wherever the same axis is. */
export interface Axis {
  /** What it counts: samples, steps, directions, or else features. */
  role?: 'batch' | 'time' | 'direction' | 'features' | 'taken'
  size?: number
}

/** A final state of one direction of a recurrent draft, or a row of an input. */
export interface Row {
  readonly of: string
  readonly which: 'h' | 'c' | 'input'
  /** The direction, or the row. */
  readonly at: number
}

/** What the graph computes somewhere, as far as that is known without running it. */
export type Value =
  | { kind: 'constant'; constant: Constant & { floats: Float32Array } }
  /** Integers, some of which are sizes of axes; rank 0 or 1. */
  | { kind: 'integers'; items: readonly (number | Axis)[]; isScalar: boolean }
  /** A tensor of zeros, of any shape; the size of its last axis, where it is known. */
  | { kind: 'zeros'; size?: number }
  /** A draft's output, or an input of the graph. */
  | TensorValue
  /** Final states: `[rows, N, H]`, one of them `[N, H]`, or side by side `[N, rows·H]`. */
  | { kind: 'rows'; rows: readonly Row[]; form: 'stack' | 'row' | 'joined'; axes: readonly Axis[] }
  /** A step of a loop that was written out. */
  | { kind: 'step'; of: string; t: number; flipped: boolean; axes: readonly Axis[] }
  | { kind: 'preactivation' | 'hidden' | 'recurrent'; of: string; count: number }
  /** Parts of a mean by length: 0 to before a number of steps, and which of them a row has, `[N, T]` or wide, `[N, T, 1]`. */
  | { kind: 'places'; count: number | Axis }
  | { kind: 'mask'; count: number | Axis; isWide: boolean }
  /** A tensor that is zero past the lengths, and its sum over the steps. */
  | { kind: 'masked' | 'total'; of: string; axes: readonly Axis[] }
  /** A number for each row: its length, the place of its last step, or the length as a float; `[N]`, or as a column `[N, 1]`. */
  | { kind: 'of rows'; of: string; what: 'lengths' | 'last' | 'floats'; isColumn: boolean }

/** A tensor that a draft computes, or that is read. */
export interface TensorValue {
  kind: 'tensor'
  of: string
  axes: readonly Axis[]
  /** The direction, where only one was taken of a recurrent draft's output. */
  side?: number
  /** The axes that are one at present, the first of `axes` in their place. */
  flat?: readonly Axis[]
  /** Whether the steps are in the opposite order. */
  flipped?: boolean
}

/** Weights of one direction in PyTorch's layout. */
export interface DirectionDraft {
  weightIh: Float32Array
  weightHh: Float32Array
  biasIh?: Float32Array
  biasHh?: Float32Array
}

/** A recurrent layer to be. */
export interface RecurrentDraft {
  kind: 'recurrent'
  input: string
  hint: string
  /** The name of the first of the layers that were put together. */
  title?: string
  type: 'LSTM' | 'GRU' | 'RNN'
  nonlinearity?: 'tanh' | 'relu'
  resetAfter?: boolean
  gateActivation: GateActivation
  inputSize: number
  hiddenSize: number
  /** Layers, each with its directions; one until layers are put together. */
  layers: DirectionDraft[][]
  /** The states before the first step, a row for each layer and direction; undefined for zeros. */
  initial: { h?: readonly Row[]; c?: readonly Row[] }
  lengths: boolean
  /** The drafts that were put together, in order. */
  members?: readonly string[]
}

/** A layer to be, and where what it reads comes from. */
export type Draft =
  | RecurrentDraft
  | { kind: 'linear'; input: string; hint: string; weight: Float32Array; outFeatures: number; bias?: Float32Array }
  | { kind: 'embedding'; input: string; hint: string; weight: Float32Array; dims: readonly number[] }
  | {
      kind: 'norm'
      input: string
      hint: string
      shape: readonly number[]
      weight?: Float32Array
      bias?: Float32Array
      eps: number
    }
  /** The last step or the mean of the steps, or with `byLength` that of each row. */
  | { kind: 'last' | 'mean'; input: string; hint: string; byLength?: boolean }
  | { kind: 'tanh' | 'sigmoid' | 'relu' | 'softmax'; input: string; hint: string }

/** Whether a value is known to be zeros. */
export function isZeros(value: Value | undefined): boolean {
  return value?.kind === 'zeros' || (value?.kind === 'constant' && value.constant.floats.every((x) => x === 0))
}

/** A constant as a value. */
export function constantValue(constant: Constant): Value {
  const { integers, floats, dims } = constant
  if (integers && dims.length < 2) return { kind: 'integers', items: integers, isScalar: dims.length === 0 }
  if (!floats) throw new OnnxUnsupportedError(`the constant '${constant.name}' has integers in ${dims.length} axes`)
  return { kind: 'constant', constant: { ...constant, floats } }
}
