import type { ForwardInputs, LSTMShape } from '../engine'
import type { ForwardTrace } from './backward'
import { multiplyRows } from './multiply'
import type { JsWeights } from './pack'

/**
 * The forward pass, a step at a time over the whole batch:
 *
 *     i, f, g, o = [x_t | h_{t-1}] · [W_ih | W_hh]ᵀ + b_ih + b_hh
 *     c = σ(f)·c + σ(i)·tanh(g)
 *     h = σ(o)·tanh(c)
 */
export function runForward(shape: LSTMShape, packed: JsWeights, inputs: ForwardInputs): ForwardTrace {
  const { batch, time, inputSize, hiddenSize, reverse } = shape
  const { x, initial, save, returnOutput } = inputs
  const depth = inputSize + hiddenSize
  const states = batch * hiddenSize
  const output = returnOutput ? new Float32Array(batch * time * hiddenSize) : undefined
  const sums = new Float64Array(4 * batch)
  const trace = { z: [] as Float64Array[], gates: [] as Float64Array[], cells: [] as Float64Array[] }
  let hidden = initial ? Float64Array.from(initial.h) : new Float64Array(states)
  let cell = initial ? Float64Array.from(initial.c) : new Float64Array(states)
  let z = new Float64Array(batch * depth)
  let gates = new Float64Array(save ? 4 * states : 0)
  if (save) trace.cells.push(cell)
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step
    if (save && step > 0) {
      z = new Float64Array(batch * depth)
      gates = new Float64Array(4 * states)
    }
    for (let row = 0; row < batch; row++) {
      const from = (row * time + t) * inputSize
      for (let k = 0; k < inputSize; k++) z[row * depth + k] = x[from + k]
      for (let k = 0; k < hiddenSize; k++) z[row * depth + inputSize + k] = hidden[row * hiddenSize + k]
    }
    const hiddenNext = save ? new Float64Array(states) : hidden
    const cellNext = save ? new Float64Array(states) : cell
    for (let unit = 0; unit < hiddenSize; unit++) {
      multiplyRows(z, depth, batch, packed.forward[unit], sums)
      const [bi, bf, bg, bo] = packed.bias.subarray(4 * unit, 4 * unit + 4)
      for (let row = 0; row < batch; row++) {
        const at = row * hiddenSize + unit
        const i = sigmoid(sums[4 * row] + bi)
        const f = sigmoid(sums[4 * row + 1] + bf)
        const g = Math.tanh(sums[4 * row + 2] + bg)
        const o = sigmoid(sums[4 * row + 3] + bo)
        const c = f * cell[at] + i * g
        cellNext[at] = c
        hiddenNext[at] = o * Math.tanh(c)
        if (save) {
          gates[4 * at] = i
          gates[4 * at + 1] = f
          gates[4 * at + 2] = g
          gates[4 * at + 3] = o
        }
      }
    }
    hidden = hiddenNext
    cell = cellNext
    if (output) {
      for (let row = 0; row < batch; row++) {
        output.set(hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize), (row * time + t) * hiddenSize)
      }
    }
    if (save) {
      trace.z.push(z)
      trace.gates.push(gates)
      trace.cells.push(cell)
    }
  }
  return { shape, packed, ...trace, output, h: Float32Array.from(hidden), c: Float32Array.from(cell) }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}
