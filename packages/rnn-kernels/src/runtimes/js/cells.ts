import type { Cell, GateActivation } from '../../cell'
import { GATE_ACTIVATIONS, type Gate, type JsCell } from './cells/cell'
import { gru } from './cells/gru'
import { gruResetBefore } from './cells/gru-reset-before'
import { lstm } from './cells/lstm'
import { rnn } from './cells/rnn'

const CELLS: Readonly<Record<Cell, (gate: Gate) => JsCell>> = {
  lstm,
  gru,
  gru_reset_before: gruResetBefore,
  rnn_tanh: () => rnn(Math.tanh, (h) => 1 - h * h),
  rnn_relu: () =>
    rnn(
      (x) => (x < 0 ? 0 : x), // NaN is kept: it is not less than 0
      (h) => (h > 0 ? 1 : 0),
    ),
}

/** A cell with an activation of its gates. */
export function jsCell({ cell, gateActivation }: { cell: Cell; gateActivation: GateActivation }): JsCell {
  return CELLS[cell](GATE_ACTIVATIONS[gateActivation])
}
