import type { Generator } from '@rowwise/torch-random'
import { dispose, mul, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core'
import { requireTensor } from '../check-tensor'
import { classNameOf } from '../class-name'
import { Layer, type LayerContext, type LayerVJP, requireContext, requireVJPOptions, type VJPOptions } from '../layer'
import { dropoutRate, GENERATOR, type Rules, readOptions } from '../options'
import { passOf } from '../pass'
import type { LayerSummary } from '../summary'

/** How {@link Dropout} is built. */
export interface DropoutOptions {
  /** Probability of zeroing an element, from 0 up to, not including, 1. @default 0.5 */
  p?: number
  /** Draws the masks. @default a new Generator() with PyTorch's default seed */
  generator?: Generator
}

/**
 * Zeroes elements at random in training and scales the rest, after `torch.nn.Dropout`; in evaluation it changes nothing.
 * The masks come from the generator, and differ from PyTorch's.
 *
 * @throws {@link ModuleOptionError} when an option is unknown or `p` is not in [0, 1).
 * @example
 * ```ts
 * new Dropout({ p: 0.2, generator }).forward(inputs) // any shape, the same shape
 * ```
 */
export class Dropout extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Dropout'
  /** Probability of zeroing an element. */
  readonly p: number
  private readonly generator: Generator

  constructor(options: DropoutOptions = {}) {
    super()
    const owner = classNameOf(this)
    const { p, generator } = readOptions(owner, options, RULES)
    this.p = p
    this.generator = generator
  }

  /**
   * @param inputs float32, any shape
   * @returns the same shape, which the caller disposes
   * @throws {@link TensorError} when the inputs are not a live float32 tensor.
   */
  forward(inputs: Tensor, context: LayerContext = {}): Tensor {
    requireContext(() => this.label(), context)
    requireTensor(() => `inputs of ${this.label()}`, inputs)
    return this.drops ? dropout(inputs, this.p, this.generator) : inputs.clone()
  }

  /** As {@link Layer.vjp}; the mask is saved for the pullback. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    requireTensor(() => `inputs of ${this.label()}`, inputs)
    if (!this.hasPullback()) return undefined
    const { drops } = this
    const mask = drops && tensor(dropoutMask(inputs.size, this.p, this.generator), inputs.shape)
    const value = mask ? mul(inputs, mask) : inputs.clone()
    return passOf(() => this.label(), {
      value,
      pullback: (gradient) => ({
        ...(options.inputGradient && { inputs: mask ? mul(gradient, mask) : gradient.clone() }),
        parameters: {},
      }),
      release: () => dispose([value, ...(mask ? [mask] : [])]),
    })
  }

  protected override summaryOfLayer(): LayerSummary {
    return { shapes: '[…] -> […]' }
  }

  private get drops(): boolean {
    return this.training && this.p > 0
  }
}

const RULES = { p: dropoutRate(0.5), generator: GENERATOR } satisfies Rules<DropoutOptions>

/** What elements are multiplied by: 0 with probability `p`, else 1/(1−p), so that the expectation stays. */
export function dropoutMask(size: number, p: number, generator: Generator): Float32Array {
  const mask = generator.uniform(new Float32Array(size))
  const scale = 1 / (1 - p)
  for (let i = 0; i < mask.length; i++) mask[i] = mask[i] < p ? 0 : scale
  return mask
}

/** `torch.nn.functional.dropout` in training. */
export function dropout(inputs: Tensor, p: number, generator: Generator): Tensor {
  return tidy(() => mul(inputs, tensor(dropoutMask(inputs.size, p, generator), inputs.shape)))
}
