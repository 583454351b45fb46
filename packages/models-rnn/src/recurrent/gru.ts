import type { GateActivation } from '@rowwise/rnn-kernels'
import { flag } from '../options'
import { GATE_ACTIVATION, RecurrentLayer, type RecurrentLayerOptions } from './recurrent-layer'

/** How {@link GRU} is built. */
export interface GRUOptions extends RecurrentLayerOptions {
  /**
   * The reset gate comes after the product with the hidden state, as in PyTorch; before it, as in the paper and older
   * Keras models.
   * @default true
   */
  resetAfter?: boolean
  /**
   * The activation of the gates; PyTorch's is the sigmoid, older Keras models have `'hard_sigmoid'`.
   * @default 'sigmoid'
   */
  gateActivation?: GateActivation
}

/**
 * Gated recurrent unit (Cho et al. 2014), after `torch.nn.GRU` with `batch_first=True`.
 *
 * @throws {@link ModuleOptionError} when an option is unknown or out of range, or a size too large to be allocated.
 * @example
 * ```ts
 * const layer = new GRU({ inputSize: 28, hiddenSize: 64, bidirectional: true, generator: new Generator(0) })
 * const { output, hn } = layer.forward(inputs, { lengths: [28, 20] }) // [2, 28, 28] → [2, 28, 128], [2, 2, 64]
 * ```
 */
export class GRU extends RecurrentLayer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'GRU'

  constructor(options: GRUOptions) {
    super(options?.resetAfter === false ? 'gru_reset_before' : 'gru', options, {
      resetAfter: flag(true),
      gateActivation: GATE_ACTIVATION,
    })
  }
}
