import { type ParameterSize, type ParameterSizes, requireFewTensors } from '../parameter-sizes'

/** What the shapes of an LSTM's parameters follow from. */
export interface LSTMShape {
  inputSize: number
  hiddenSize: number
  numLayers: number
  bias: boolean
  bidirectional: boolean
}

/** Gates of an LSTM: i, f, g and o, one after the other along the first axis of every parameter. */
const GATES = 4

/**
 * The parameters of `torch.nn.LSTM`, in its order: of layer 0 `weight_ih_l0` [4H, I], `weight_hh_l0` [4H, H], `bias_ih_l0` [4H]
 * and `bias_hh_l0` [4H], then those of its backward direction under `…_reverse`, then those of the layers above.
 *
 * @throws {@link ModuleOptionError} when there are more layers than a module may have.
 */
export function lstmParameters(owner: string, shape: LSTMShape): ParameterSizes {
  const { inputSize, hiddenSize, numLayers, bias, bidirectional } = shape
  const directions = bidirectional ? ['', '_reverse'] : ['']
  requireFewTensors(owner, numLayers, directions.length * (bias ? 4 : 2))
  const gates = GATES * hiddenSize
  const larger = inputSize > hiddenSize ? { inputSize, hiddenSize } : { hiddenSize, inputSize }
  const sizes: Record<string, ParameterSize> = {}
  for (let layer = 0; layer < numLayers; layer++) {
    const features = layer === 0 ? inputSize : hiddenSize * directions.length
    for (const direction of directions) {
      const suffix = `l${layer}${direction}`
      sizes[`weight_ih_${suffix}`] = { shape: [gates, features], options: layer === 0 ? larger : { hiddenSize } }
      sizes[`weight_hh_${suffix}`] = { shape: [gates, hiddenSize], options: { hiddenSize } }
      if (!bias) continue
      sizes[`bias_ih_${suffix}`] = { shape: [gates], options: { hiddenSize } }
      sizes[`bias_hh_${suffix}`] = { shape: [gates], options: { hiddenSize } }
    }
  }
  return sizes
}
