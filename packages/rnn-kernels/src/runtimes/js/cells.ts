import type { Cell, GateActivation } from '../../cell'
import type { JsCell } from './cells/cell'
import { gru } from './cells/gru'
import { gruResetBefore } from './cells/gru-reset-before'
import { lstm } from './cells/lstm'
import { rnn } from './cells/rnn'

const CELLS: Readonly<Record<Cell, (isHard: boolean) => JsCell>> = {
  lstm,
  gru,
  gru_reset_before: gruResetBefore,
  rnn_tanh: () => rnn(false),
  rnn_relu: () => rnn(true),
}

/** A cell with an activation of its gates. */
export function jsCell({ cell, gateActivation }: { cell: Cell; gateActivation: GateActivation }): JsCell {
  return CELLS[cell](gateActivation === 'hard_sigmoid')
}
