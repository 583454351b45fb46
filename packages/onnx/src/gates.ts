/** Where ONNX has each of PyTorch's gates: LSTM i, f, g, o in i, o, f, c; GRU r, z, n in z, r, h. */
const PLACES = { LSTM: [0, 2, 3, 1], GRU: [1, 0, 2], RNN: [0] } as const

/** ONNX's recurrent operations. */
export type RecurrentOp = keyof typeof PLACES

/** Gates of a cell, each a block of rows of its weights. */
export function gatesOf(op: RecurrentOp): number {
  return PLACES[op].length
}

/** A weight or a bias of one direction in PyTorch's order of gates, given in ONNX's. */
export function fromOnnxOrder(op: RecurrentOp, values: Float32Array): Float32Array {
  return moved(op, values, (gate, place) => [place, gate])
}

/** The same in ONNX's order, given in PyTorch's. */
export function toOnnxOrder(op: RecurrentOp, values: Float32Array): Float32Array {
  return moved(op, values, (gate, place) => [gate, place])
}

function moved(
  op: RecurrentOp,
  values: Float32Array,
  move: (gate: number, place: number) => readonly [from: number, to: number],
): Float32Array {
  const size = values.length / gatesOf(op)
  const result = new Float32Array(values.length)
  for (const [gate, place] of PLACES[op].entries()) {
    const [from, to] = move(gate, place)
    result.set(values.subarray(from * size, (from + 1) * size), to * size)
  }
  return result
}
