import { finalHiddenVJP, linearVJP, type RecurrentWeightTensors } from '@rowwise/rnn-kernels'
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Variable } from '@tensorflow/tfjs-core'
import type { NamedParameters } from './module'

/** What {@link LSTMNet.vjp} hands back. */
export interface LSTMNetVJP {
  /** The logits, `[N, C]`; they hold until the next forward pass. */
  outputs: Float32Array
  /** Their shape. */
  shape: [number, number]
  /**
   * The gradient by every parameter, from the one by the logits; once, before the next forward pass. The caller disposes the tensors.
   */
  vjp(upstream: Float32Array): Record<string, Tensor>
  /** Gives the memory of a pass back whose `vjp` was not called. */
  release(): void
}

/** The parameters of a network as the kernels take them. */
export interface FusedParameters {
  readonly layers: readonly RecurrentWeightTensors[]
  readonly weight: Tensor2D
  readonly bias: Tensor1D
  readonly all: readonly Variable[]
}

/** Names of the parameters of a layer, as the kernels call them and as PyTorch's begin. */
const LAYER_PARAMETERS = [
  ['weightIh', 'lstm_1.weight_ih_l'],
  ['weightHh', 'lstm_1.weight_hh_l'],
  ['biasIh', 'lstm_1.bias_ih_l'],
  ['biasHh', 'lstm_1.bias_hh_l'],
] as const

/** Finds the parameters of a network of one direction by their names. */
export function fusedParameters(named: NamedParameters, numLayers: number): FusedParameters {
  const layers = Array.from({ length: numLayers }, (_, layer) =>
    Object.fromEntries(LAYER_PARAMETERS.map(([key, name]) => [key, named[`${name}${layer}`]])),
  )
  return {
    layers: layers as unknown as RecurrentWeightTensors[],
    weight: named['fc_1.weight'] as unknown as Tensor2D,
    bias: named['fc_1.bias'] as unknown as Tensor1D,
    all: Object.values(named),
  }
}

/** The forward pass of a network of one direction, and the way back. */
export function lstmNetVJP(inputs: Tensor3D, { layers, weight, bias }: FusedParameters): LSTMNetVJP {
  const hidden = finalHiddenVJP('lstm', inputs, layers)
  const logits = linearVJP(hidden.values, weight, bias)
  return {
    outputs: logits.values,
    shape: [inputs.shape[0], weight.shape[0]],
    vjp(upstream) {
      const fc = logits.vjp(upstream)
      const gradients: Record<string, Tensor> = {}
      hidden.vjp(fc.inputs).forEach((found, layer) => {
        for (const [key, name] of LAYER_PARAMETERS) {
          const gradient = found[key]
          if (gradient) gradients[`${name}${layer}`] = gradient
        }
      })
      gradients['fc_1.weight'] = fc.weight
      gradients['fc_1.bias'] = fc.bias as Tensor1D
      return gradients
    },
    release: hidden.release,
  }
}
