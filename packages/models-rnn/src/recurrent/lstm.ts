import type { GateActivation } from '@rowwise/rnn-kernels'
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core'
import { integer } from '../options'
import {
  GATE_ACTIVATION,
  type HiddenState,
  RecurrentLayer,
  type RecurrentLayerOptions,
  type RecurrentLayerOutputs,
} from './recurrent-layer'

/** How {@link LSTM} is built. */
export interface LSTMOptions extends RecurrentLayerOptions {
  /**
   * Project the hidden state to so many features (Sak et al. 2014); 0 for none. TensorFlow.js's operations compute it
   * then.
   * @default 0
   */
  projSize?: number
  /**
   * The activation of the gates; PyTorch's is the sigmoid, older Keras models have `'hard_sigmoid'`.
   * @default 'sigmoid'
   */
  gateActivation?: GateActivation
}

/** Hidden and cell state of every layer and direction. */
export interface LSTMState extends HiddenState {
  /** The cell state, float32 `[numLayers·D, N, H]`. */
  c: Tensor
}

/** What {@link LSTM.forward} hands back; the caller disposes the tensors. */
export interface LSTMOutputs extends RecurrentLayerOutputs {
  /** The cell state of every layer and direction after each row's last step, `[numLayers·D, N, H]`: PyTorch's `c_n`. */
  cn: Tensor3D
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997), after `torch.nn.LSTM` with `batch_first=True`.
 *
 * @throws {@link ModuleOptionError} when an option is unknown or out of range, or a size too large to be allocated.
 * @example
 * ```ts
 * const layer = new LSTM({ inputSize: 28, hiddenSize: 64, numLayers: 2, generator: new Generator(0) })
 * const { output, hn, cn } = layer.forward(inputs) // [N, T, 28] → [N, T, 64], [2, N, 64], [2, N, 64]
 * ```
 */
export class LSTM extends RecurrentLayer<LSTMState, LSTMOutputs> {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'LSTM'

  constructor(options: LSTMOptions) {
    super('lstm', options, { projSize: integer(0, 0), gateActivation: GATE_ACTIVATION })
  }
}
