import type { LSTMGradients, LSTMShape, Upstream } from '../engine'
import { addOuterProducts, multiplyRows } from './multiply'
import type { JsWeights } from './pack'

/** A forward pass with what its backward pass needs; per step, float64. */
export interface ForwardTrace {
  shape: LSTMShape
  packed: JsWeights
  /** Rows [x_t | h_{t-1}], `[N, I + H]` per step */
  z: Float64Array[]
  /** i, f, g, o of every unit, `[N, H, 4]` per step; after the backward pass the gradients by their pre-activations */
  gates: Float64Array[]
  /** Cell states, `[N, H]`: before the first step, then after each */
  cells: Float64Array[]
  output?: Float32Array
  h: Float32Array
  c: Float32Array
}

/**
 * The backward pass, from the last step to the first; the equations are those of `assembly/backward.ts`:
 *
 *     h̄ = ġ_{t+1}·W_hh + upstream           c̄ += h̄·o·(1 − tanh²c)
 *     i̇ = c̄·g·i(1 − i)   ḟ = c̄·c_{t-1}·f(1 − f)   ġ = c̄·i·(1 − g²)   ȯ = h̄·tanh c·o(1 − o)   c̄ ← c̄·f
 */
export function runBackward(trace: ForwardTrace, upstream: Upstream, byInitial: boolean): Omit<LSTMGradients, 'x'> {
  const { shape, packed, z, gates, cells } = trace
  const { batch, time, inputSize, hiddenSize, reverse } = shape
  const depth = inputSize + hiddenSize
  const width = 4 * hiddenSize
  const dCell = upstream.c ? Float64Array.from(upstream.c) : new Float64Array(batch * hiddenSize)
  const dHidden = upstream.h ? Float64Array.from(upstream.h) : new Float64Array(batch * hiddenSize)
  const dWeights = Array.from({ length: hiddenSize }, () => new Float64Array(4 * depth))
  const dBias = new Float64Array(width)
  const sums = new Float64Array(4 * batch)
  for (let step = time - 1; step >= 0; step--) {
    const t = reverse ? time - 1 - step : step
    if (step < time - 1) multiplyGates(gates[step + 1], shape, packed, sums, dHidden)
    if (upstream.output) addOutputGradient(upstream.output, shape, t, dHidden)
    gateGradients(gates[step], cells[step], cells[step + 1], dHidden, dCell)
    for (let unit = 0; unit < hiddenSize; unit++) {
      addOuterProducts(z[step], depth, gates[step], width, 4 * unit, batch, dWeights[unit])
    }
    for (let row = 0; row < batch; row++) {
      for (let k = 0; k < width; k++) dBias[k] += gates[step][row * width + k]
    }
  }
  const byWeights = inPyTorchLayout(dWeights, dBias, shape)
  if (!byInitial) return byWeights
  multiplyGates(gates[0], shape, packed, sums, dHidden)
  return { ...byWeights, h: Float32Array.from(dHidden), c: Float32Array.from(dCell) }
}

/** dHidden = ġ·W_hh. */
function multiplyGates(
  gates: Float64Array,
  { batch, hiddenSize }: LSTMShape,
  packed: JsWeights,
  sums: Float64Array,
  dHidden: Float64Array,
): void {
  packed.hhTransposed.forEach((panel, index) => {
    multiplyRows(gates, 4 * hiddenSize, batch, panel, sums)
    const count = Math.min(4, hiddenSize - 4 * index)
    for (let row = 0; row < batch; row++) {
      for (let k = 0; k < count; k++) dHidden[row * hiddenSize + 4 * index + k] = sums[4 * row + k]
    }
  })
}

function addOutputGradient(dOutput: Float32Array, shape: LSTMShape, t: number, dHidden: Float64Array): void {
  const { batch, time, hiddenSize } = shape
  for (let row = 0; row < batch; row++) {
    const from = (row * time + t) * hiddenSize
    for (let k = 0; k < hiddenSize; k++) dHidden[row * hiddenSize + k] += dOutput[from + k]
  }
}

/** Puts the gradients by the pre-activations in the place of the gates, and carries c̄ on. */
function gateGradients(
  gates: Float64Array,
  cellBefore: Float64Array,
  cellAfter: Float64Array,
  dHidden: Float64Array,
  dCell: Float64Array,
): void {
  for (let at = 0; at < dCell.length; at++) {
    const i = gates[4 * at]
    const f = gates[4 * at + 1]
    const g = gates[4 * at + 2]
    const o = gates[4 * at + 3]
    const dh = dHidden[at]
    const tanhC = Math.tanh(cellAfter[at])
    const dc = dCell[at] + dh * o * (1 - tanhC * tanhC)
    dCell[at] = dc * f
    gates[4 * at] = dc * g * i * (1 - i)
    gates[4 * at + 1] = dc * cellBefore[at] * f * (1 - f)
    gates[4 * at + 2] = dc * i * (1 - g * g)
    gates[4 * at + 3] = dh * tanhC * o * (1 - o)
  }
}

function inPyTorchLayout(dWeights: Float64Array[], dBias: Float64Array, { inputSize, hiddenSize }: LSTMShape) {
  const weightIh = new Float32Array(4 * hiddenSize * inputSize)
  const weightHh = new Float32Array(4 * hiddenSize * hiddenSize)
  const bias = new Float32Array(4 * hiddenSize)
  dWeights.forEach((panel, unit) => {
    for (let gate = 0; gate < 4; gate++) {
      const row = gate * hiddenSize + unit
      bias[row] = dBias[4 * unit + gate]
      for (let k = 0; k < inputSize; k++) weightIh[row * inputSize + k] = panel[4 * k + gate]
      for (let k = 0; k < hiddenSize; k++) weightHh[row * hiddenSize + k] = panel[4 * (inputSize + k) + gate]
    }
  })
  return { weightIh, weightHh, bias }
}
