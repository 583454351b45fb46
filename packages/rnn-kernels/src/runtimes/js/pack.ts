import type { RecurrentShape, RecurrentWeights } from '../../runtime'
import type { JsCell, Slot } from './cells/cell'

/** Weights in float64 and in the order in which the loops read them: panels of four columns, `[depth, 4]` each. */
export interface JsWeights {
  /** Columns are the sums of each unit in turn, the depth is [x_t | h_{t-1}]; zero where a sum does not read it. */
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
  const resetUnits = shape.cell === 'gru_reset_before' ? hiddenSize : 0
  const packed: JsWeights = {
    forward: emptyPanels(columns, inputSize + hiddenSize),
    bias: new Float64Array(columns),
    hhTransposed: emptyPanels(hiddenSize, columns),
    ihTransposed: emptyPanels(inputSize, columns),
    reset: emptyPanels(resetUnits, hiddenSize),
    resetTransposed: emptyPanels(resetUnits, hiddenSize),
  }
  const ih = (row: number): Float32Array => weightIh.subarray(row * inputSize, (row + 1) * inputSize)
  const hh = (row: number): Float32Array => weightHh.subarray(row * hiddenSize, (row + 1) * hiddenSize)
  for (let column = 0; column < columns; column++) {
    const { slot, row } = rowOf(slots, hiddenSize, column)
    if (biasIh && slot.biasIh) packed.bias[column] += biasIh[row]
    if (biasHh && slot.biasHh) packed.bias[column] += biasHh[row]
    if (slot.input) placeRow(ih(row), column, packed.forward, 0, packed.ihTransposed)
    if (slot.hidden) placeRow(hh(row), column, packed.forward, inputSize, packed.hhTransposed)
  }
  for (let unit = 0; unit < resetUnits; unit++) {
    placeRow(hh(2 * hiddenSize + unit), unit, packed.reset, 0, packed.resetTransposed)
  }
  return packed
}

/** Copies a row of PyTorch's weights to a column of `panels`, from depth `first` on, and to a row of `transposed`. */
function placeRow(
  weights: Float32Array,
  column: number,
  panels: Float64Array[],
  first: number,
  transposed: Float64Array[],
): void {
  const panel = panels[column >> 2]
  const c = column & 3
  for (let k = 0; k < weights.length; k++) {
    panel[4 * (first + k) + c] = weights[k]
    transposed[k >> 2][4 * column + (k & 3)] = weights[k]
  }
}

/** Panels of four columns, of zeros. */
function emptyPanels(columns: number, depth: number): Float64Array[] {
  return Array.from({ length: Math.ceil(columns / 4) }, () => new Float64Array(4 * depth))
}

/** Sums of weight gradients, in panels as `forward`, in PyTorch's layout. */
export function unpackGradients(
  dWeights: Float64Array[],
  dBias: Float64Array,
  dReset: Float64Array[],
  shape: RecurrentShape,
  { slots }: JsCell,
  gates: number,
) {
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
    if (slot.hidden)
      for (let k = 0; k < hiddenSize; k++) weightHh[row * hiddenSize + k] = panel[4 * (inputSize + k) + c]
  }
  dReset.forEach((panel, index) => {
    for (let c = 0; c < Math.min(4, hiddenSize - 4 * index); c++) {
      const row = 2 * hiddenSize + 4 * index + c
      for (let k = 0; k < hiddenSize; k++) weightHh[row * hiddenSize + k] = panel[4 * k + c]
    }
  })
  return { weightIh, weightHh, biasIh, biasHh }
}
