import type { Cell, GateActivation } from '../../cell'
import { CELLS } from '../../generated/job'

const NAMES: Readonly<Record<Cell, readonly [keyof typeof CELLS, keyof typeof CELLS]>> = {
  lstm: ['lstm', 'lstm_hard'],
  gru: ['gru', 'gru_hard'],
  gru_reset_before: ['gru_before', 'gru_before_hard'],
  rnn_tanh: ['rnn_tanh', 'rnn_tanh'],
  rnn_relu: ['rnn_relu', 'rnn_relu'],
}

/** What the kernels call a cell with an activation of its gates. */
export function cellIndex({ cell, gateActivation }: { cell: Cell; gateActivation: GateActivation }): number {
  return CELLS[NAMES[cell][gateActivation === 'sigmoid' ? 0 : 1]]
}
