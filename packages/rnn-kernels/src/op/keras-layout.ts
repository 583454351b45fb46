import { type Cell, GATES } from '../cell'
import type { RecurrentGradients, RecurrentWeights } from '../runtime'

/** Weights of one direction of one layer as Keras lays them out. */
export interface KerasWeights {
  /** `[I, G·H]` */
  kernel: Float32Array
  /** `[H, G·H]` */
  recurrentKernel: Float32Array
  /** `[G·H]`; `[2, 3·H]` of the cell `gru` */
  bias?: Float32Array
}

/** Where Keras has each of PyTorch's gates. */
export function gateOrder(cell: Cell): readonly number[] {
  return GATES[cell] === 3 ? [1, 0, 2] : Array.from({ length: GATES[cell] }, (_, gate) => gate)
}

/**
 * Keras's weights in PyTorch's layout. The second bias is zero where Keras has only one.
 *
 * @example
 * ```ts
 * const { weightIh, biasHh } = fromKerasLayout('gru', 16, { kernel, recurrentKernel, bias })
 * ```
 */
export function fromKerasLayout(
  cell: Cell,
  hiddenSize: number,
  { kernel, recurrentKernel, bias }: KerasWeights,
): RecurrentWeights {
  const columns = GATES[cell] * hiddenSize
  const row = (at: number): Float32Array => {
    const values = new Float32Array(columns)
    copyGates(cell, hiddenSize, (bias as Float32Array).subarray(at * columns, (at + 1) * columns), values, true)
    return values
  }
  const matrix = (from: Float32Array): Float32Array => {
    const to = new Float32Array(from.length)
    copyGates(cell, hiddenSize, from, to, true)
    return to
  }
  return {
    weightIh: matrix(kernel),
    weightHh: matrix(recurrentKernel),
    ...(bias && { biasIh: row(0), biasHh: cell === 'gru' ? row(1) : new Float32Array(columns) }),
  }
}

/**
 * PyTorch's weights in Keras's layout. Where Keras has only one bias it is the sum of both.
 *
 * @example
 * ```ts
 * const { kernel, recurrentKernel, bias } = toKerasLayout('lstm', 64, { weightIh, weightHh, biasIh, biasHh })
 * ```
 */
export function toKerasLayout(
  cell: Cell,
  hiddenSize: number,
  { weightIh, weightHh, biasIh, biasHh }: RecurrentWeights,
): KerasWeights {
  const matrix = (from: Float32Array): Float32Array => {
    const to = new Float32Array(from.length)
    copyGates(cell, hiddenSize, from, to, false)
    return to
  }
  const kernels = { kernel: matrix(weightIh), recurrentKernel: matrix(weightHh) }
  if (biasIh === undefined || biasHh === undefined) return kernels
  if (cell !== 'gru') return { ...kernels, bias: matrix(biasIh.map((value, at) => value + biasHh[at])) }
  const bias = new Float32Array(2 * biasIh.length)
  bias.set(matrix(biasIh))
  bias.set(matrix(biasHh), biasIh.length)
  return { ...kernels, bias }
}

/** Writes a gradient of the kernels as that of Keras's weight. */
export function writeKerasGradient(
  cell: Cell,
  hiddenSize: number,
  name: 'weightIh' | 'weightHh' | 'biasIh',
  gradients: RecurrentGradients,
  to: Float32Array,
): void {
  const { length } = gradients[name]
  copyGates(cell, hiddenSize, gradients[name], to.subarray(0, length), false)
  if (name === 'biasIh' && cell === 'gru') copyGates(cell, hiddenSize, gradients.biasHh, to.subarray(length), false)
}

/**
 * Transposes a matrix `[rows, G·H]` of Keras's to PyTorch's `[G·H, rows]`, gates in their order, or back; a bias has
 * one row.
 */
function copyGates(cell: Cell, hiddenSize: number, from: Float32Array, to: Float32Array, fromKeras: boolean): void {
  const order = gateOrder(cell)
  const columns = order.length * hiddenSize
  const rows = from.length / columns
  for (const [gate, place] of order.entries()) {
    for (let unit = 0; unit < hiddenSize; unit++) {
      const start = (gate * hiddenSize + unit) * rows
      const column = place * hiddenSize + unit
      if (fromKeras) for (let row = 0; row < rows; row++) to[start + row] = from[row * columns + column]
      else for (let row = 0; row < rows; row++) to[row * columns + column] = from[start + row]
    }
  }
}
