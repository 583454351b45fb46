import type { ArrayWithShape } from '@rowwise/models-rnn'

/** Weights outside of TensorFlow.js, by PyTorch's names. */
export type PlainWeights = Readonly<Record<string, ArrayWithShape>>

/** What the network thinks and does while it reads. */
export interface Reading {
  /** By row, the probability of each class if the image ended there. */
  probabilities: Float64Array[]
  /** By row, the last layer's gates i, f, g, o, `[4·H]`. */
  gates: Float64Array[]
  hiddenSize: number
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/**
 * Reads an image with the equations of `torch.nn.LSTM`, one row at a time, keeping what every row does: i, f, o = σ(…), g = tanh(…),
 * c = f·c + i·g, h = o·tanh(c). In float64 and plain JavaScript: it is for looking, not for speed.
 *
 * @param rows `[T][I]`, normalised
 */
export function readRows(weights: PlainWeights, rows: readonly ArrayLike<number>[]): Reading {
  const layers = Object.keys(weights).filter((name) => /^lstm_1\.weight_ih_l\d+$/.test(name)).length
  let sequence: ArrayLike<number>[] = [...rows]
  let gates: Float64Array[] = []
  for (let layer = 0; layer < layers; layer++) {
    const steps = readLayer(weights, layer, sequence)
    sequence = steps.map(({ h }) => h)
    gates = steps.map((step) => step.gates)
  }
  const probabilities = sequence.map((h) => softmax(affine(weights['fc_1.weight'], h, weights['fc_1.bias'])))
  return { probabilities, gates, hiddenSize: weights['lstm_1.weight_hh_l0'].shape[1] }
}

function readLayer(weights: PlainWeights, layer: number, inputs: readonly ArrayLike<number>[]) {
  const of = (name: string): ArrayWithShape => weights[`lstm_1.${name}_l${layer}`]
  const hiddenSize = of('weight_hh').shape[1]
  let h = new Float64Array(hiddenSize)
  let c = new Float64Array(hiddenSize)
  return inputs.map((x) => {
    const fromInput = affine(of('weight_ih'), x, of('bias_ih'))
    const fromHidden = affine(of('weight_hh'), h, of('bias_hh'))
    const gates = fromInput.map((value, index) => {
      const sum = value + fromHidden[index]
      return Math.floor(index / hiddenSize) === 2 ? Math.tanh(sum) : sigmoid(sum)
    })
    const [i, f, g, o] = [0, 1, 2, 3].map((gate) => gates.subarray(gate * hiddenSize, (gate + 1) * hiddenSize))
    c = c.map((value, unit) => f[unit] * value + i[unit] * g[unit])
    h = c.map((value, unit) => o[unit] * Math.tanh(value))
    return { h, gates }
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
