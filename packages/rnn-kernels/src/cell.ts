/**
 * A recurrent cell: PyTorch's LSTM, GRU and RNN, and `gru_reset_before`, the GRU of the paper and of Keras's `reset_after=False`, whose reset
 * gate comes before the product with the hidden state.
 */
export type Cell = 'lstm' | 'gru' | 'gru_reset_before' | 'rnn_tanh' | 'rnn_relu'

/** The activation of a cell's gates: PyTorch's, or Keras's older one, 0.2·x + 0.5 clipped to [0, 1]. */
export type GateActivation = 'sigmoid' | 'hard_sigmoid'

/** Gates of each cell: blocks of H rows in its weights, in PyTorch's order. LSTM i, f, g, o; GRU r, z, n. */
export const GATES: Readonly<Record<Cell, number>> = {
  lstm: 4,
  gru: 3,
  gru_reset_before: 3,
  rnn_tanh: 1,
  rnn_relu: 1,
}

/** Whether a cell has a cell state c beside its hidden state h. */
export function hasCellState(cell: Cell): boolean {
  return cell === 'lstm'
}

/** Whether a cell has gates whose activation can be chosen. */
export function hasGates(cell: Cell): boolean {
  return GATES[cell] > 1
}
