import { type Cell, canFuse, type GateActivation, kernelReport } from '@rowwise/rnn-kernels'
import { engine, getBackend, serialization, type Tensor } from '@tensorflow/tfjs-core'
import { type CallOptions, type CellOfLayers, drawsMasksAnew, ownerOf, type RecurrentOfLayers } from './layers'
import { isResetAfter } from './reset-after'

/** The kernels' cell that computes what a cell of `tf.layers` does. */
export interface FusedCell {
  cell: Cell
  gateActivation?: GateActivation
}

/** The kernels' cell for a layer's, or why there is none. */
export function fusedCell(cell: CellOfLayers): FusedCell | string {
  const name = cell.getClassName()
  const activation = activationOf(cell.activation)
  if (!KNOWN.includes(name)) return `its cell is ${name}, the kernels have LSTMCell, GRUCell and SimpleRNNCell`
  if (!isResetAfter(cell) && !isOwnOfLayers(cell, 'call'))
    return `its cell is called ${name} and is not that of tfjs-layers: another class, or one of another copy of tfjs-layers`
  if (name === 'SimpleRNNCell') {
    if (activation === 'tanh') return { cell: 'rnn_tanh' }
    return activation === 'relu'
      ? { cell: 'rnn_relu' }
      : `its activation is ${activation}, the kernels have tanh and relu`
  }
  const gates = activationOf(cell.recurrentActivation)
  if (activation !== 'tanh') return `its activation is ${activation}, the kernels have tanh`
  if (gates !== 'sigmoid' && gates !== 'hardSigmoid')
    return `its recurrentActivation is ${gates}, the kernels have sigmoid and hardSigmoid`
  return {
    cell: name === 'LSTMCell' ? 'lstm' : cell.resetAfter ? 'gru' : 'gru_reset_before',
    gateActivation: gates === 'sigmoid' ? 'sigmoid' : 'hard_sigmoid',
  }
}

/** Why a layer's call does not run fused, or undefined. */
export function reasonAgainst(
  layer: RecurrentOfLayers,
  inputs?: Tensor,
  { mask, training, initialState }: CallOptions = {},
): string | undefined {
  const kind = fusedCell(layer.cell)
  if (typeof kind === 'string') return kind
  if (!canFuse()) return reasonOfBackend()
  const { recurrentDropout } = layer.cell
  if (training && recurrentDropout > 0 && recurrentDropout < 1)
    return `recurrentDropout is ${recurrentDropout}, which the kernels do not have in training`
  if (ownerOf(layer, 'getInitialState') !== 'RNN') return 'it overrides getInitialState'
  const { dropout } = layer.cell
  if (!drawsMasksAnew(layer) && dropout > 0 && dropout < 1)
    return 'it keeps one mask of its dropout for good, as tf.layers.rnn does'
  if (engine().state.gradientDepth > 1) return 'a gradient of its gradient is taken, which the kernels do not have'
  if (inputs === undefined) return undefined
  if (inputs.rank !== 3 || inputs.size === 0) return 'its inputs are not [batch, time, features], none of them 0'
  if (inputs.dtype !== 'float32' && inputs.dtype !== 'int32' && inputs.dtype !== 'bool')
    return `its inputs are of ${inputs.dtype}`
  const [batch, time] = inputs.shape
  const steps = Array.isArray(mask) ? mask[0] : mask
  if (steps && ![`${batch},${time}`, `${batch},${time},1`].includes(steps.shape.join()))
    return 'its mask is not one of steps, [batch, time]'
  const states = initialState ?? (layer.stateful ? layer.states_ : null) ?? []
  const isState = (state: Tensor): boolean =>
    state.dtype === 'float32' && state.shape.join() === `${batch},${layer.cell.units}`
  return states.every(isState) ? undefined : `its initial state is not float32 [batch, ${layer.cell.units}]`
}

function reasonOfBackend(): string {
  if (kernelReport().path === 'off') return 'the kernels are switched off'
  return `the kernels cannot read tensors of the ${getBackend()} backend; wasm and cpu gain`
}

const KNOWN = ['LSTMCell', 'GRUCell', 'SimpleRNNCell']

/**
 * Whether an object is of the very class of tfjs-layers, and does what that does: a user's class may do anything, also
 * one that inherits the name.
 */
function isOwnOfLayers(of: { getClassName(): string; constructor: unknown }, method: 'call' | 'apply'): boolean {
  if (Object.hasOwn(of, method)) return false
  const own = of.constructor as { className?: string }
  const parent = Object.getPrototypeOf(own) as { className?: string }
  const name = of.getClassName()
  const known: unknown = serialization.SerializationMap.getMap().classNameMap[name]?.[0]
  return known === own && own.className === name && parent.className !== name
}

function activationOf(activation: CellOfLayers['activation'] | undefined): string {
  if (!activation) return 'absent'
  const name = activation.getClassName()
  return isOwnOfLayers(activation, 'apply') ? name : `${name}, and not that of tfjs-layers`
}
