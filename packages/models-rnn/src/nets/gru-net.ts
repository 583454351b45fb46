import { GRU } from '../recurrent/gru'
import type { NetKind } from './net-kind'
import { RecurrentNet, type RecurrentNetOptions } from './recurrent-net'

/**
 * {@link LSTMNet} with a GRU. The parameters are `gru_1.weight_ih_l0` [3H, I], …, `fc_1.weight` [C, H], `fc_1.bias` [C].
 *
 * @throws {@link ModuleOptionError} when an option is unknown, out of range, or asks for more than can be allocated.
 * @example
 * ```ts
 * const model = new GRUNet({ inputSize: 28, hiddenSize: 64, numClasses: 10, generator: new Generator(0) })
 * const logits = model.forward(inputs) // [N, 28, 28] → [N, 10]
 * ```
 */
export class GRUNet extends RecurrentNet {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'GRUNet'
  /** What sets the class apart. */
  static readonly kind: NetKind = { owner: 'GRUNet', layer: 'gru_1', module: 'GRU', cell: 'gru' }

  constructor(options: RecurrentNetOptions = {}) {
    super(GRUNet.kind, (layer) => new GRU(layer), options)
  }
}
