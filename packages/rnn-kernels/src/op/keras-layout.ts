import { type Cell, GATES } from '../cell'
import type { RecurrentGradients, RecurrentWeights } from '../runtime'

/** Where Keras has each of PyTorch's gates. */
export function gateOrder(cell: Cell): readonly number[] {
  return GATES[cell] === 3 ? [1, 0, 2] : Array.from({ length: GATES[cell] }, (_, gate) => gate)
}

/** Keras's weights in PyTorch's layout. The second bias is zero where Keras has only one. */
export function fromKeras(
  cell: Cell,
  hiddenSize: number,
  { weightIh, weightHh, biasIh }: RecurrentWeights,
): RecurrentWeights {
  const order = gateOrder(cell)
  const columns = order.length * hiddenSize
  const matrix = (from: Float32Array): Float32Array => {
    const rows = from.length / columns
    const to = new Float32Array(from.length)
    for (const [gate, place] of order.entries()) {
      for (let unit = 0; unit < hiddenSize; unit++) {
        const start = (gate * hiddenSize + unit) * rows
        const column = place * hiddenSize + unit
        for (let row = 0; row < rows; row++) to[start + row] = from[row * columns + column]
      }
    }
    return to
  }
  const vector = (from: Float32Array): Float32Array => inOrder(from, order, hiddenSize, false)
  return {
    weightIh: matrix(weightIh),
    weightHh: matrix(weightHh),
    ...(biasIh && {
      biasIh: vector(biasIh.subarray(0, columns)),
      biasHh: cell === 'gru' ? vector(biasIh.subarray(columns)) : new Float32Array(columns),
    }),
  }
}

/** Writes a gradient of the kernels as that of Keras's weight. */
export function writeKerasGradient(
  cell: Cell,
  hiddenSize: number,
  name: 'weightIh' | 'weightHh' | 'biasIh',
  gradients: RecurrentGradients,
  to: Float32Array,
): void {
  const order = gateOrder(cell)
  const columns = order.length * hiddenSize
  const from = gradients[name]
  if (name === 'biasIh') {
    to.set(inOrder(from, order, hiddenSize, true))
    if (cell === 'gru') to.set(inOrder(gradients.biasHh, order, hiddenSize, true), columns)
    return
  }
  const rows = to.length / columns
  for (const [gate, place] of order.entries()) {
    for (let unit = 0; unit < hiddenSize; unit++) {
      const start = (gate * hiddenSize + unit) * rows
      const column = place * hiddenSize + unit
      for (let row = 0; row < rows; row++) to[row * columns + column] = from[start + row]
    }
  }
}

/** A bias from Keras's order of gates into PyTorch's, or back. */
function inOrder(from: Float32Array, order: readonly number[], hiddenSize: number, isBack: boolean): Float32Array {
  const to = new Float32Array(order.length * hiddenSize)
  for (const [gate, place] of order.entries()) {
    const [source, target] = isBack ? [gate, place] : [place, gate]
    to.set(from.subarray(source * hiddenSize, (source + 1) * hiddenSize), target * hiddenSize)
  }
  return to
}
