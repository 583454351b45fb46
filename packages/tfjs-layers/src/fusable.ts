import { type Cell, canFuse, type GateActivation, kernelReport } from '@rowwise/rnn-kernels'
import { getBackend, serialization, type Tensor } from '@tensorflow/tfjs-core'
import type { CallOptions, CellOfLayers, RecurrentOfLayers } from './layers'
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
  if (!isOwnOfLayers(cell, name)) return `its cell, ${name}, is not one of LSTMCell, GRUCell and SimpleRNNCell`
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
  { mask, training }: CallOptions = {},
): string | undefined {
  const kind = fusedCell(layer.cell)
  if (typeof kind === 'string') return kind
  if (!canFuse()) return reasonOfBackend()
  const { recurrentDropout } = layer.cell
  if (training && recurrentDropout > 0 && recurrentDropout < 1)
    return `recurrentDropout is ${recurrentDropout}, which the kernels do not have in training`
  if (inputs === undefined) return undefined
  if (inputs.rank !== 3 || inputs.size === 0) return `its inputs have the shape [${inputs.shape}]`
  if (inputs.dtype !== 'float32' && inputs.dtype !== 'int32' && inputs.dtype !== 'bool')
    return `its inputs are of ${inputs.dtype}`
  const [batch, time] = inputs.shape
  const steps = Array.isArray(mask) ? mask[0] : mask
  if (steps && steps.size !== batch * time) return `its mask has the shape [${steps.shape}]`
  return undefined
}

function reasonOfBackend(): string {
  if (kernelReport().path === 'off') return 'the kernels are switched off'
  return `the kernels cannot read tensors of the ${getBackend()} backend; wasm and cpu gain`
}

/** A class of the user's own may do anything, also one that inherits the name. */
function isOwnOfLayers(cell: CellOfLayers, name: string): boolean {
  if (isResetAfter(cell)) return true
  if (Object.hasOwn(cell, 'call')) return false
  const known = serialization.SerializationMap.getMap().classNameMap[name]
  return ['LSTMCell', 'GRUCell', 'SimpleRNNCell'].includes(name) && known?.[0] === (cell.constructor as unknown)
}

function activationOf(activation: { getClassName(): string } | null | undefined): string {
  return activation?.getClassName() ?? 'absent'
}
