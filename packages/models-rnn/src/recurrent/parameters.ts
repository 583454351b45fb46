import { type Cell, GATES } from '@rowwise/rnn-kernels'
import { type ParameterSize, type ParameterSizes, requireFewTensors } from '../parameter-sizes'

/** What the shapes of a recurrent layer's parameters follow from. */
export interface RecurrentShape {
  inputSize: number
  hiddenSize: number
  numLayers: number
  bias: boolean
  bidirectional: boolean
  /** 0 without projections. */
  projSize?: number
}

/** The weights of a direction, and what their names in a state dict begin with. */
export const WEIGHTS = [
  ['weightIh', 'weight_ih'],
  ['weightHh', 'weight_hh'],
  ['biasIh', 'bias_ih'],
  ['biasHh', 'bias_hh'],
  ['weightHr', 'weight_hr'],
] as const

/**
 * The parameters of `torch.nn.LSTM`, `GRU` and `RNN`, in their order: of layer 0 `weight_ih_l0` [G·H, I], `weight_hh_l0` [G·H, H],
 * `bias_ih_l0` [G·H], `bias_hh_l0` [G·H] and with projections `weight_hr_l0` [P, H], then those of its backward direction under
 * `…_reverse`, then those of the layers above.
 *
 * @throws {@link ModuleOptionError} when there are more layers than a module may have.
 */
export function recurrentParameters(owner: string, cell: Cell, shape: RecurrentShape): ParameterSizes {
  const { inputSize, hiddenSize, numLayers, bias, bidirectional, projSize = 0 } = shape
  const directions = directionsOf(bidirectional)
  requireFewTensors(owner, numLayers, directions.length * ((bias ? 4 : 2) + (projSize > 0 ? 1 : 0)))
  const rows = GATES[cell] * hiddenSize
  const features = projSize > 0 ? projSize : hiddenSize
  const larger = inputSize > hiddenSize ? { inputSize, hiddenSize } : { hiddenSize, inputSize }
  const sizes: Record<string, ParameterSize> = {}
  for (let layer = 0; layer < numLayers; layer++) {
    const read = layer === 0 ? inputSize : features * directions.length
    for (const direction of directions) {
      const suffix = `l${layer}${direction}`
      const options = { hiddenSize }
      sizes[`weight_ih_${suffix}`] = { shape: [rows, read], options: layer === 0 ? larger : options }
      sizes[`weight_hh_${suffix}`] = { shape: [rows, features], options }
      if (bias) sizes[`bias_ih_${suffix}`] = { shape: [rows], options }
      if (bias) sizes[`bias_hh_${suffix}`] = { shape: [rows], options }
      if (projSize > 0) sizes[`weight_hr_${suffix}`] = { shape: [projSize, hiddenSize], options }
    }
  }
  return sizes
}

/** What the names of a direction's parameters end with. */
export function directionsOf(bidirectional: boolean): string[] {
  return bidirectional ? ['', '_reverse'] : ['']
}
