import type { RecurrentShape, RecurrentWeights } from '../../runtime'
import type { JsCell, Slot } from './cells/cell'

/** Weights in float64 and in the order in which the loops read them: panels of four columns, `[depth, 4]` each. */
export interface JsWeights {
  /** Columns are the sums of one unit after another; the depth is [x_t | h_{t-1}]. What a sum does not read has weights of zero. */
  forward: Float64Array[]
  /** What the sums begin with, `[H·slots]` */
  bias: Float64Array
  /** Columns are hidden units, and inputs; the depth is that of the sums. */
  hhTransposed: Float64Array[]
  ihTransposed: Float64Array[]
  /** W_hn of a reset-before GRU, for products with r·h and with ṅ. */
  reset: Float64Array[]
  resetTransposed: Float64Array[]
}

/** The row of a column in PyTorch's parameters. */
function rowOf(slots: readonly Slot[], hiddenSize: number, column: number): { slot: Slot; row: number } {
  const slot = slots[column % slots.length]
  return { slot, row: slot.gate * hiddenSize + Math.floor(column / slots.length) }
}

/** Packs the weights of one layer in one direction. */
export function packWeights(weights: RecurrentWeights, shape: RecurrentShape, { slots }: JsCell): JsWeights {
  const { weightIh, weightHh, biasIh, biasHh } = weights
  const { inputSize, hiddenSize } = shape
  const columns = hiddenSize * slots.length
  const bias = new Float64Array(columns)
  for (let column = 0; column < columns; column++) {
    const { slot, row } = rowOf(slots, hiddenSize, column)
    if (biasIh && slot.biasIh) bias[column] += biasIh[row]
    if (biasHh && slot.biasHh) bias[column] += biasHh[row]
  }
  const ih = (column: number, k: number): number => {
    const { slot, row } = rowOf(slots, hiddenSize, column)
    return slot.input ? weightIh[row * inputSize + k] : 0
  }
  const hh = (column: number, k: number): number => {
    const { slot, row } = rowOf(slots, hiddenSize, column)
    return slot.hidden ? weightHh[row * hiddenSize + k] : 0
  }
  const resetGate = shape.cell === 'gru_reset_before' ? 2 : null
  const hn = (unit: number, k: number): number => weightHh[((resetGate as number) * hiddenSize + unit) * hiddenSize + k]
  return {
    forward: panels(columns, inputSize + hiddenSize, (column, k) =>
      k < inputSize ? ih(column, k) : hh(column, k - inputSize),
    ),
    bias,
    hhTransposed: panels(hiddenSize, columns, (k, column) => hh(column, k)),
    ihTransposed: panels(inputSize, columns, (k, column) => ih(column, k)),
    reset: resetGate === null ? [] : panels(hiddenSize, hiddenSize, hn),
    resetTransposed: resetGate === null ? [] : panels(hiddenSize, hiddenSize, (k, unit) => hn(unit, k)),
  }
}

/** Panels of four columns, of what `at` says. */
function panels(columns: number, depth: number, at: (column: number, k: number) => number): Float64Array[] {
  return Array.from({ length: Math.ceil(columns / 4) }, (_, index) => {
    const panel = new Float64Array(4 * depth)
    const width = Math.min(4, columns - 4 * index)
    for (let k = 0; k < depth; k++) for (let c = 0; c < width; c++) panel[4 * k + c] = at(4 * index + c, k)
    return panel
  })
}

/** Sums of weight gradients, in panels as `forward`, in PyTorch's layout. */
export function unpackGradients(dWeights: Float64Array[], dBias: Float64Array, dReset: Float64Array[], shape: RecurrentShape, { slots }: JsCell, gates: number) {
  const { inputSize, hiddenSize } = shape
  const weightIh = new Float32Array(gates * hiddenSize * inputSize)
  const weightHh = new Float32Array(gates * hiddenSize * hiddenSize)
  const biasIh = new Float32Array(gates * hiddenSize)
  const biasHh = new Float32Array(gates * hiddenSize)
  for (let column = 0; column < hiddenSize * slots.length; column++) {
    const { slot, row } = rowOf(slots, hiddenSize, column)
    const panel = dWeights[column >> 2]
    const c = column & 3
    if (slot.biasIh) biasIh[row] = dBias[column]
    if (slot.biasHh) biasHh[row] = dBias[column]
    if (slot.input) for (let k = 0; k < inputSize; k++) weightIh[row * inputSize + k] = panel[4 * k + c]
    if (slot.hidden) for (let k = 0; k < hiddenSize; k++) weightHh[row * hiddenSize + k] = panel[4 * (inputSize + k) + c]
  }
  dReset.forEach((panel, index) => {
    for (let c = 0; c < Math.min(4, hiddenSize - 4 * index); c++) {
      const row = 2 * hiddenSize + 4 * index + c
      for (let k = 0; k < hiddenSize; k++) weightHh[row * hiddenSize + k] = panel[4 * k + c]
    }
  })
  return { weightIh, weightHh, biasIh, biasHh }
}
