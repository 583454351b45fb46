import type { ArrayWithShape } from '@rowwise/models-rnn'

/** Weights outside of TensorFlow.js, by PyTorch's names. */
export type PlainWeights = Readonly<Record<string, ArrayWithShape>>

/** What the network thinks and does while it reads. */
export interface Reading {
  /** By row, the probability of each class if the image ended there. */
  probabilities: Float64Array[]
  /** By row, the last layer's gates, `[G·H]`. */
  gates: Float64Array[]
  hiddenSize: number
}

/** A cell's state. */
interface State {
  h: Float64Array
  c: Float64Array
}

/** The equations of a cell. */
export interface CellEquations {
  /** The name of the recurrent layer. */
  layer: string
  /** What the gates are called; each has H rows of the weights. */
  gates: readonly string[]
  /** The gates of a step one after the other, and the state after it, from x·W_ihᵀ + b_ih, h·W_hhᵀ + b_hh and the state before. */
  step(x: Float64Array, h: Float64Array, before: State): State & { gates: Float64Array }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

function rnn(nonlinearity: (x: number) => number): CellEquations {
  return {
    layer: 'rnn_1',
    gates: ['state h'],
    step(x, h, { c }) {
      const next = x.map((value, unit) => nonlinearity(value + h[unit]))
      return { gates: next, h: next, c }
    },
  }
}

/** The cells that the page reads with, as `torch.nn` has them. */
export const CELLS = {
  /** i, f, o = σ(…), g = tanh(…), c = f·c + i·g, h = o·tanh(c) */
  lstm: {
    layer: 'lstm_1',
    gates: ['input gate i', 'forget gate f', 'cell input g', 'output gate o'],
    step(x, h, before) {
      const size = before.h.length
      const gates = x.map((value, at) => {
        const sum = value + h[at]
        return Math.floor(at / size) === 2 ? Math.tanh(sum) : sigmoid(sum)
      })
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) => gates.subarray(gate * size, (gate + 1) * size))
      const c = before.c.map((value, unit) => f[unit] * value + i[unit] * g[unit])
      return { gates, c, h: c.map((value, unit) => o[unit] * Math.tanh(value)) }
    },
  },
  /** r, z = σ(…), n = tanh(x + r·h), h = (1 − z)·n + z·h */
  gru: {
    layer: 'gru_1',
    gates: ['reset gate r', 'update gate z', 'new state n'],
    step(x, h, before) {
      const size = before.h.length
      const gates = new Float64Array(3 * size)
      for (let at = 0; at < 2 * size; at++) gates[at] = sigmoid(x[at] + h[at])
      for (let unit = 0; unit < size; unit++) {
        gates[2 * size + unit] = Math.tanh(x[2 * size + unit] + gates[unit] * h[2 * size + unit])
      }
      const next = before.h.map((value, unit) => {
        const z = gates[size + unit]
        return (1 - z) * gates[2 * size + unit] + z * value
      })
      return { gates, h: next, c: before.c }
    },
  },
  rnn_tanh: rnn(Math.tanh),
  rnn_relu: rnn((x) => Math.max(0, x)),
} satisfies Record<string, CellEquations>

/**
 * Reads an image with the equations of `torch.nn`, one row at a time, keeping what every row does. In float64 and plain JavaScript: it is
 * for looking, not for speed.
 *
 * @param rows `[T][I]`, normalised
 */
export function readRows(weights: PlainWeights, cell: CellEquations, rows: readonly ArrayLike<number>[]): Reading {
  let sequence: ArrayLike<number>[] = [...rows]
  let gates: Float64Array[] = []
  for (let layer = 0; `${cell.layer}.weight_ih_l${layer}` in weights; layer++) {
    const steps = readLayer(weights, cell, layer, sequence)
    sequence = steps.map(({ h }) => h)
    gates = steps.map((step) => step.gates)
  }
  const probabilities = sequence.map((h) => softmax(affine(weights['fc_1.weight'], h, weights['fc_1.bias'])))
  return { probabilities, gates, hiddenSize: weights[`${cell.layer}.weight_hh_l0`].shape[1] }
}

function readLayer(weights: PlainWeights, cell: CellEquations, layer: number, inputs: readonly ArrayLike<number>[]) {
  const of = (name: string): ArrayWithShape => weights[`${cell.layer}.${name}_l${layer}`]
  const hiddenSize = of('weight_hh').shape[1]
  let state: State = { h: new Float64Array(hiddenSize), c: new Float64Array(hiddenSize) }
  return inputs.map((x) => {
    const fromHidden = affine(of('weight_hh'), state.h, of('bias_hh'))
    const next = cell.step(affine(of('weight_ih'), x, of('bias_ih')), fromHidden, state)
    state = next
    return next
  })
}

/** A·x + b */
function affine(matrix: ArrayWithShape, x: ArrayLike<number>, bias: ArrayWithShape | undefined): Float64Array {
  const [outputs, inputs] = matrix.shape
  const values = matrix.data as Float32Array
  return Float64Array.from({ length: outputs }, (_, row) => {
    let sum = bias ? (bias.data as Float32Array)[row] : 0
    for (let column = 0; column < inputs; column++) sum += values[row * inputs + column] * x[column]
    return sum
  })
}

function softmax(logits: Float64Array): Float64Array {
  const largest = Math.max(...logits)
  const powers = logits.map((value) => Math.exp(value - largest))
  const sum = powers.reduce((total, value) => total + value, 0)
  return powers.map((value) => value / sum)
}
