import { LSTM } from '../recurrent/lstm'
import type { NetKind } from './net-kind'
import { RecurrentNet, type RecurrentNetOptions } from './recurrent-net'

/**
 * The reference network: an LSTM reads the sequence, a linear layer reads its last output. The parameters are
 * `lstm_1.weight_ih_l0` [4H, I], `lstm_1.weight_hh_l0` [4H, H], …, `fc_1.weight` [C, H], `fc_1.bias` [C].
 *
 * @throws {@link ModuleOptionError} when an option is unknown, out of range, or asks for more than can be allocated.
 * @example
 * ```ts
 * const model = new LSTMNet({ inputSize: 28, hiddenSize: 64, numLayers: 1, numClasses: 10, generator: new Generator(0) })
 * const logits = model.forward(inputs) // [N, 28, 28] → [N, 10]
 * ```
 */
export class LSTMNet extends RecurrentNet {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'LSTMNet'
  /** What sets the class apart. */
  static readonly kind: NetKind = { owner: 'LSTMNet', layer: 'lstm_1', module: 'LSTM', cell: 'lstm' }

  constructor(options: RecurrentNetOptions = {}) {
    super(LSTMNet.kind, (layer) => new LSTM(layer), options)
  }
}
