import { relu, sigmoid, softmax, type Tensor, tanh } from '@tensorflow/tfjs-core'
import { requireTensor } from '../check-tensor'
import { Layer, type LayerContext, type LayerVJP, requireContext, requireVJPOptions, type VJPOptions } from '../layer'
import { recompute } from '../recompute'
import type { LayerSummary } from '../summary'

/**
 * A function of each element, or of each row: the base of {@link Tanh}, {@link Sigmoid}, {@link ReLU} and
 * {@link Softmax}.
 */
export abstract class Activation extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Activation'

  /** The function, as an operation of TensorFlow.js. */
  protected abstract apply(inputs: Tensor): Tensor

  /**
   * @param inputs float32, any shape
   * @returns the same shape, which the caller disposes
   * @throws {@link TensorError} when the inputs are not a live float32 tensor.
   */
  forward(inputs: Tensor, context: LayerContext = {}): Tensor {
    requireContext(() => this.label(), context)
    requireTensor(() => `inputs of ${this.label()}`, inputs)
    return this.apply(inputs)
  }

  /** As {@link Layer.vjp}. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    return this.hasPullback() ? recompute((x) => this.forward(x), inputs, options) : undefined
  }

  protected override summaryOfLayer(): LayerSummary {
    return { shapes: '[…] -> […]' }
  }
}

/**
 * The hyperbolic tangent of each element, after `torch.nn.Tanh`.
 *
 * @example
 * ```ts
 * new Sequential(new GRU(sizes), lastStep(), new Tanh())
 * ```
 */
export class Tanh extends Activation {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Tanh'

  protected override apply(inputs: Tensor): Tensor {
    return tanh(inputs)
  }
}

/**
 * 1 / (1 + exp(−x)) of each element, after `torch.nn.Sigmoid`.
 *
 * @example
 * ```ts
 * new Sequential(new Linear(features), new Sigmoid())
 * ```
 */
export class Sigmoid extends Activation {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Sigmoid'

  protected override apply(inputs: Tensor): Tensor {
    return sigmoid(inputs)
  }
}

/**
 * The larger of 0 and each element, after `torch.nn.ReLU`.
 *
 * @example
 * ```ts
 * new Sequential(new Linear(features), new ReLU(), new Linear(classes))
 * ```
 */
export class ReLU extends Activation {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'ReLU'

  protected override apply(inputs: Tensor): Tensor {
    return relu(inputs)
  }
}

/**
 * exp(x) / Σ exp(x) over the last axis, after `torch.nn.Softmax(dim=-1)`. A loss such as `crossEntropy` reads logits,
 * so leave it out in training.
 *
 * @example
 * ```ts
 * new Sequential(new LSTM(sizes), lastStep(), new Linear(classes), new Softmax())
 * ```
 */
export class Softmax extends Activation {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Softmax'

  protected override apply(inputs: Tensor): Tensor {
    return softmax(inputs)
  }
}
