import { kerasRecurrent } from '@rowwise/rnn-kernels'
import {
  cast,
  dropout,
  expandDims,
  mul,
  ones,
  reverse,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tidy,
} from '@tensorflow/tfjs-core'
import { type FusedCell, fusedCell } from './fusable'
import type { CallOptions, CellOfLayers, RecurrentOfLayers } from './layers'
import { planMask } from './mask'
import { NO_ROW, takeRows } from './rows'

/**
 * Masks that each cell draws for its inputs' dropout. It uses the first, but a seeded `dropoutFunc`, and a seeded
 * Math.random, count all of them.
 */
const DROPOUT_MASKS: Readonly<Record<string, number>> = { LSTMCell: 4, GRUCell: 3, SimpleRNNCell: 1 }

/** What `RNN.call` of tfjs-layers does, as one operation. */
export function fusedCall(layer: RecurrentOfLayers, given: Tensor, options: CallOptions): Tensor | Tensor[] {
  return tidy(() => {
    const { cell } = layer
    const { training, mask } = options
    const initial = initialOf(layer, options)
    const steps = Array.isArray(mask) ? mask[0] : mask
    const inputs = withDropout(cast(given, 'float32') as Tensor3D, cell, training)
    const pass = steps ? maskedPass(layer, inputs, steps, initial) : plainPass(layer, inputs, initial)
    if (layer.stateful) layer.resetStates(pass.states, training)
    const result = layer.returnSequences ? (pass.output as Tensor) : pass.states[0]
    return layer.returnState ? [result, ...pass.states] : result
  })
}

interface Pass {
  /** `[N, T, H]`, in the order in which the steps are read. */
  output?: Tensor3D
  /** h, and c of an LSTM. */
  states: Tensor2D[]
}

function plainPass(layer: RecurrentOfLayers, inputs: Tensor3D, initial: readonly Tensor2D[] | undefined): Pass {
  const { goBackwards } = layer
  const { output, states } = run(layer, inputs, { initial, reverse: goBackwards })
  return { states, ...(output && { output: goBackwards ? reverse(output, 1) : output }) }
}

function maskedPass(
  layer: RecurrentOfLayers,
  inputs: Tensor3D,
  mask: Tensor,
  initial: readonly Tensor2D[] | undefined,
): Pass {
  const [batch, time] = inputs.shape
  const plan = planMask(mask, batch, time, layer.goBackwards)
  if (plan === undefined) return plainPass(layer, inputs, initial)
  const { lengths, front, back, empty } = plan
  const moved = front ? (takeRows([inputs], front, inputs.shape) as Tensor3D) : inputs
  const found = run(layer, moved, { initial, lengths })
  // A row without a step keeps the state that it began with.
  const order = Int32Array.from({ length: batch }, (_, row) => row)
  for (const row of empty) order[row] = initial ? batch + row : NO_ROW
  const states = empty.length === 0 ? found.states : found.states.map((state, k) => kept(state, initial?.[k], order))
  if (found.output === undefined) return { states }
  const { output } = found
  if (initial) for (const at of back.keys()) if (back[at] === NO_ROW) back[at] = batch * time + Math.floor(at / time)
  return { states, output: takeRows(initial ? [output, initial[0]] : [output], back, output.shape) as Tensor3D }
}

function kept(state: Tensor2D, initial: Tensor2D | undefined, order: Int32Array): Tensor2D {
  return takeRows(initial ? [state, initial] : [state], order, state.shape) as Tensor2D
}

function run(
  { cell, returnSequences }: RecurrentOfLayers,
  inputs: Tensor3D,
  { initial, ...how }: { initial: readonly Tensor2D[] | undefined; reverse?: boolean; lengths?: Int32Array },
): Pass {
  const weights = {
    kernel: cell.kernel.read(),
    recurrentKernel: cell.recurrentKernel.read(),
    ...(cell.bias && { bias: cell.bias.read() }),
  }
  const { h, c, output } = kerasRecurrent(inputs, weights, {
    ...(fusedCell(cell) as FusedCell),
    ...how,
    returnOutput: returnSequences,
    ...(initial && { initial: { h: initial[0], ...(initial[1] && { c: initial[1] }) } }),
  })
  return { output, states: c ? [h, c] : [h] }
}

/** The state before the first step; undefined for zeros. */
function initialOf(layer: RecurrentOfLayers, { initialState }: CallOptions): readonly Tensor2D[] | undefined {
  const given = initialState ?? (layer.stateful ? layer.states_ : null)
  if (given === null || given === undefined) return undefined
  const expected = Array.isArray(layer.cell.stateSize) ? layer.cell.stateSize.length : 1
  if (given.length === expected) return given
  throw new Error(`RNN Layer has ${expected} state(s) but was passed ${given.length} initial state(s).`) // as tfjs-layers
}

/** One mask for all steps, drawn as tfjs-layers draws it. */
function withDropout(inputs: Tensor3D, cell: CellOfLayers, training: boolean | null | undefined): Tensor3D {
  const { dropout: rate, dropoutFunc } = cell
  if (!training || !(rate > 0 && rate < 1)) return inputs
  const [batch, , features] = inputs.shape
  const draw = (shape: number[]): Tensor => (dropoutFunc ? dropoutFunc(ones(shape), rate) : dropout(ones(shape), rate))
  const mask = draw([batch, features])
  // The size of the others does not matter to Math.random, which is asked once for each.
  const more = cell.resetAfter ? 0 : (DROPOUT_MASKS[cell.getClassName()] ?? 1) - 1
  for (let k = 0; k < more; k++) draw(dropoutFunc ? [batch, features] : [1])
  return mul(inputs, expandDims(mask, 1))
}
