import { GATES } from '../../cell'
import type { RecurrentGradients, RecurrentShape, RecurrentWeights } from '../../runtime'
import { CELLS } from './cells'

/** PyTorch's weights with those of the inputs and of the hidden state beside each other, and what the sums begin with. */
export function joinWeights(
  { cell, inputSize: I, hiddenSize: H }: RecurrentShape,
  stride: number,
  { weightIh, weightHh, biasIh, biasHh }: RecurrentWeights,
): { weights: Float64Array; bias: Float64Array } {
  const weights = new Float64Array(weightIh.length + weightHh.length)
  for (let row = 0, at = 0; at < weights.length; row++, at += I + H) {
    weights.set(weightIh.subarray(row * I, (row + 1) * I), at)
    weights.set(weightHh.subarray(row * H, (row + 1) * H), at + I)
  }
  const bias = new Float64Array(stride)
  for (const { gate, count, slot, x, h, reset } of CELLS[cell].products) {
    for (let k = 0; k < count * H; k++) {
      if (biasIh && x) bias[slot * H + k] += biasIh[gate * H + k]
      if (biasHh && (h || reset)) bias[slot * H + k] += biasHh[gate * H + k]
    }
  }
  return { weights, bias }
}

/** The gradients as {@link joinWeights} has the weights, in PyTorch's layout. */
export function splitGradients(
  { cell, inputSize: I, hiddenSize: H }: RecurrentShape,
  dWeights: Float64Array,
  dBias: Float64Array,
): Omit<RecurrentGradients, 'x' | 'h' | 'c'> {
  const rows = GATES[cell] * H
  const [weightIh, weightHh] = [new Float32Array(rows * I), new Float32Array(rows * H)]
  const [biasIh, biasHh] = [new Float32Array(rows), new Float32Array(rows)]
  for (let row = 0, at = 0; row < rows; row++, at += I + H) {
    weightIh.set(dWeights.subarray(at, at + I), row * I)
    weightHh.set(dWeights.subarray(at + I, at + I + H), row * H)
  }
  for (const { gate, count, slot, x, h, reset } of CELLS[cell].products) {
    const sums = dBias.subarray(slot * H, (slot + count) * H)
    if (x) biasIh.set(sums, gate * H)
    if (h || reset) biasHh.set(sums, gate * H)
  }
  return { weightIh, weightHh, biasIh, biasHh }
}
