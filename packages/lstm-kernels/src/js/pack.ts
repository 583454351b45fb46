import type { LSTMShape, LSTMWeights } from '../engine'

/**
 * Weights in float64 and in the order in which the loops read them: panels of four columns, [depth, 4] each. For the forward
 * pass the columns are the gates i, f, g, o of one hidden unit, the depth is [x_t | h_{t-1}].
 */
export interface JsWeights {
  /** One panel per hidden unit, `[I + H, 4]` */
  forward: Float64Array[]
  /** `[H, 4]`, the sum of both biases */
  bias: Float64Array
  /** One panel per four hidden units, `[4·H, 4]`, the depth in the order of a row of gates */
  hhTransposed: Float64Array[]
  /** One panel per four inputs, `[4·H, 4]` */
  ihTransposed: Float64Array[]
}

/** Packs the weights of one layer in one direction. */
export function packWeights(weights: LSTMWeights, { inputSize, hiddenSize }: LSTMShape): JsWeights {
  const { weightIh, weightHh, biasIh, biasHh } = weights
  const depth = inputSize + hiddenSize
  const bias = new Float64Array(4 * hiddenSize)
  const forward = Array.from({ length: hiddenSize }, (_, unit) => {
    const panel = new Float64Array(4 * depth)
    for (let gate = 0; gate < 4; gate++) {
      const row = gate * hiddenSize + unit
      for (let k = 0; k < inputSize; k++) panel[4 * k + gate] = weightIh[row * inputSize + k]
      for (let k = 0; k < hiddenSize; k++) panel[4 * (inputSize + k) + gate] = weightHh[row * hiddenSize + k]
      if (biasIh && biasHh) bias[4 * unit + gate] = biasIh[row] + biasHh[row]
    }
    return panel
  })
  return {
    forward,
    bias,
    hhTransposed: transposed(weightHh, hiddenSize, hiddenSize),
    ihTransposed: transposed(weightIh, hiddenSize, inputSize),
  }
}

function transposed(weights: Float32Array, hiddenSize: number, columns: number): Float64Array[] {
  return Array.from({ length: Math.ceil(columns / 4) }, (_, index) => {
    const panel = new Float64Array(16 * hiddenSize)
    const width = Math.min(4, columns - 4 * index)
    for (let unit = 0; unit < hiddenSize; unit++) {
      for (let gate = 0; gate < 4; gate++) {
        const from = (gate * hiddenSize + unit) * columns + 4 * index
        for (let k = 0; k < width; k++) panel[4 * (4 * unit + gate) + k] = weights[from + k]
      }
    }
    return panel
  })
}
