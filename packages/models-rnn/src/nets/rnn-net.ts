import { type Nonlinearity, RNN } from '../recurrent/rnn'
import type { NetKind } from './net-kind'
import { RecurrentNet, type RecurrentNetConfig, type RecurrentNetOptions } from './recurrent-net'

/** The shape of an {@link RNNNet}. */
export interface RNNNetConfig extends RecurrentNetConfig {
  /** What is applied to each new state. @default 'tanh' */
  nonlinearity?: Nonlinearity
}

/** How an {@link RNNNet} is built. */
export interface RNNNetOptions extends RecurrentNetOptions, RNNNetConfig {}

/**
 * {@link LSTMNet} with a plain RNN. The parameters are `rnn_1.weight_ih_l0` [H, I], …, `fc_1.weight` [C, H], `fc_1.bias` [C].
 *
 * @throws {@link ModuleOptionError} when an option is unknown, out of range, or asks for more than can be allocated.
 * @example
 * ```ts
 * const model = new RNNNet({ inputSize: 28, hiddenSize: 64, numClasses: 10, nonlinearity: 'relu', generator: new Generator(0) })
 * const logits = model.forward(inputs) // [N, 28, 28] → [N, 10]
 * ```
 */
export class RNNNet extends RecurrentNet<RNNNetConfig> {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'RNNNet'
  /** What sets the class apart. */
  static readonly kind: NetKind = { owner: 'RNNNet', layer: 'rnn_1', module: 'RNN', cell: 'rnn_tanh' }

  constructor(options: RNNNetOptions = {}) {
    const { nonlinearity = 'tanh' } = options ?? {}
    super(RNNNet.kind, (layer) => new RNN({ ...layer, nonlinearity }), options, { nonlinearity })
  }
}
