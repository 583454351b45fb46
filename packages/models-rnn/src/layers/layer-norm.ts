import { add, mean, mul, reshape, rsqrt, square, sub, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core'
import { requireTensor } from '../check-tensor'
import { classNameOf } from '../class-name'
import { bringParameters, bringToCurrentBackend } from '../current-backend'
import { ShapeError } from '../errors'
import { Layer, type LayerContext, type LayerVJP, requireContext, requireVJPOptions, type VJPOptions } from '../layer'
import { flag, integer, positive, type Rules, readOptions, requireOption, unchecked } from '../options'
import { allocate, requireAllocatable } from '../parameter-sizes'
import { recompute } from '../recompute'
import type { LayerSummary } from '../summary'

/** How {@link LayerNorm} is built. */
export interface LayerNormOptions {
  /** Features of the last axis, or the sizes of the last axes, over which is normalised. */
  normalizedShape: number | readonly number[]
  /** Added to the variance. @default 1e-5 */
  eps?: number
  /** Learn a factor and a summand for each feature. @default true */
  elementwiseAffine?: boolean
  /** Learn the summand, where there is a factor. @default true */
  bias?: boolean
}

/**
 * Layer normalisation (Ba, Kiros and Hinton 2016), after `torch.nn.LayerNorm`, with its parameters `weight` and `bias`:
 *
 *     y = (x − mean(x)) / √(var(x) + ε) · weight + bias
 *
 * @throws {@link ModuleOptionError} when an option is unknown or out of range, or a size too large to be allocated.
 * @example
 * ```ts
 * new LayerNorm({ normalizedShape: 64 }).forward(tf.zeros([8, 28, 64])) // [8, 28, 64]
 * ```
 */
export class LayerNorm extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'LayerNorm'
  /** The sizes of the last axes, over which is normalised. */
  readonly normalizedShape: readonly number[]
  /** Added to the variance. */
  readonly eps: number
  private readonly weight: Variable | undefined
  private readonly bias: Variable | undefined
  private readonly size: number

  constructor(options: LayerNormOptions) {
    super()
    const owner = classNameOf(this)
    const { normalizedShape, eps, elementwiseAffine, bias } = readOptions(owner, options, RULES)
    const shape =
      Array.isArray(normalizedShape) && normalizedShape.length > 0 ? [...normalizedShape] : [normalizedShape]
    for (const [axis, size] of shape.entries())
      requireOption(owner, shape.length > 1 ? `normalizedShape[${axis}]` : 'normalizedShape', size, integer(1))
    this.normalizedShape = shape
    this.eps = eps
    this.size = shape.reduce((product, size) => product * size, 1)
    const size = { shape, options: { normalizedShape: this.size } }
    requireAllocatable(owner, { weight: size, bias: size })
    if (elementwiseAffine)
      this.weight = this.registerParameter('weight', allocate(owner, 'weight', size).fill(1), shape)
    if (elementwiseAffine && bias) this.bias = this.registerParameter('bias', allocate(owner, 'bias', size), shape)
  }

  /**
   * @param inputs float32 `[…, ...normalizedShape]`
   * @returns the same shape, which the caller disposes
   * @throws {@link TensorError} when the inputs are not a live float32 tensor, {@link ShapeError} when the last axes are others,
   * {@link ModuleDisposedError} when the layer was disposed.
   */
  forward(inputs: Tensor, context: LayerContext = {}): Tensor {
    requireContext(() => this.label(), context)
    this.prepare(inputs)
    return tidy(() => {
      const rows = reshape(inputs, [-1, this.size])
      const centred = sub(rows, mean(rows, 1, true))
      const normal = mul(centred, rsqrt(add(mean(square(centred), 1, true), this.eps)))
      const scaled = this.weight ? mul(normal, reshape(this.weight, [this.size])) : normal
      return reshape(this.bias ? add(scaled, reshape(this.bias, [this.size])) : scaled, inputs.shape)
    })
  }

  /** As {@link Layer.vjp}. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    if (!this.hasPullback()) return undefined
    const { weight, bias } = this
    return recompute((x) => this.forward(x), inputs, options, { weight, bias })
  }

  protected override summaryOfLayer(): LayerSummary {
    const axes = this.normalizedShape.join(', ')
    return { shapes: `[…, ${axes}] -> […, ${axes}]` }
  }

  /** Everything that a pass reads is alive, fits, and is on the current backend. */
  private prepare(inputs: Tensor): void {
    this.requireUsable()
    requireTensor(() => `inputs of ${this.label()}`, inputs)
    const { normalizedShape } = this
    if (inputs.shape.slice(-normalizedShape.length).join() !== normalizedShape.join() || inputs.size === 0) {
      throw new ShapeError(
        `inputs has shape [${inputs.shape}], ${this.label()} expects [..., ${normalizedShape.join(', ')}] (normalizedShape), none of them 0`,
      )
    }
    bringToCurrentBackend('inputs', inputs)
    bringParameters([this.weight, this.bias])
  }
}

const RULES = {
  ...{
    normalizedShape: unchecked<number | readonly number[]>(),
    eps: positive(1e-5),
    elementwiseAffine: flag(true),
    bias: flag(true),
  },
} satisfies Rules<LayerNormOptions>
