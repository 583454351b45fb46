import { oneOf } from '../options'
import { RecurrentLayer, type RecurrentLayerOptions } from './recurrent-layer'

/** What an {@link RNN} applies to each new state. */
export type Nonlinearity = 'tanh' | 'relu'

/** How {@link RNN} is built. */
export interface RNNOptions extends RecurrentLayerOptions {
  /** What is applied to each new state. @default 'tanh' */
  nonlinearity?: Nonlinearity
}

/**
 * A plain recurrent network (Elman 1990), after `torch.nn.RNN` with `batch_first=True`.
 *
 * @throws {@link ModuleOptionError} when an option is unknown or out of range, or a size too large to be allocated.
 * @example
 * ```ts
 * const layer = new RNN({ inputSize: 28, hiddenSize: 64, nonlinearity: 'relu', generator: new Generator(0) })
 * const { output, hn } = layer.forward(inputs) // [N, T, 28] → [N, T, 64], [1, N, 64]
 * ```
 */
export class RNN extends RecurrentLayer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'RNN'
  /** What is applied to each new state. */
  readonly nonlinearity: Nonlinearity

  constructor(options: RNNOptions) {
    const isReLU = options?.nonlinearity === 'relu'
    super(isReLU ? 'rnn_relu' : 'rnn_tanh', options, { nonlinearity: oneOf<Nonlinearity>('tanh', 'relu') })
    this.nonlinearity = isReLU ? 'relu' : 'tanh'
  }
}
