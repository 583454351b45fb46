import { giveArray, holdValues, passingTensor, readValues, takeArray } from '@rowwise/host-values'
import { canFuseLinear, fusedLinear, linearPass } from '@rowwise/rnn-kernels'
import type { Generator } from '@rowwise/torch-random'
import {
  add,
  matMul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core'
import { requireTensor } from '../check-tensor'
import { classNameOf } from '../class-name'
import { bringParameters, bringToCurrentBackend } from '../current-backend'
import { ShapeError } from '../errors'
import { Layer, type LayerContext, type LayerVJP, requireContext, requireVJPOptions, type VJPOptions } from '../layer'
import { flag, GENERATOR, integer, type Rules, readOptions, unchecked } from '../options'
import { allocate, type ParameterSizes, requireAllocatable } from '../parameter-sizes'
import { passOf } from '../pass'
import { recompute } from '../recompute'
import { describeLinear } from '../recurrent/describe'
import type { LayerSummary } from '../summary'

/** How {@link Linear} is built. */
export interface LinearOptions {
  /** Features of each input sample. */
  inFeatures: number
  /** Features of each output sample. */
  outFeatures: number
  /** Learn an additive bias. @default true */
  bias?: boolean
  /**
   * A parameter [outFeatures, inFeatures] of another layer to share (tied weights, Press and Wolf 2017), which that layer owns:
   * `embedding.parameters().weight`. When absent, the layer makes one.
   */
  weight?: Variable
  /** Draws the initial weights. @default a new Generator() with PyTorch's default seed */
  generator?: Generator
}

/**
 * y = x·Wᵀ + b, after `torch.nn.Linear`, with its parameters `weight` [out, in] and `bias` [out] and its initial values.
 *
 * @throws {@link ModuleOptionError} when an option is unknown, a size is not a positive integer, or too large to be allocated;
 * {@link ModuleStructureError} when the weight to share has another shape.
 * @example
 * ```ts
 * const layer = new Linear({ inFeatures: 64, outFeatures: 10, generator: new Generator(0) })
 * layer.forward(tf.zeros([8, 64])) // [8, 10]
 * ```
 */
export class Linear extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Linear'
  /** Features of each input sample. */
  readonly inFeatures: number
  /** Features of each output sample. */
  readonly outFeatures: number
  private readonly weight: Variable
  private readonly bias: Variable | undefined

  constructor(options: LinearOptions) {
    super()
    const owner = classNameOf(this)
    const { inFeatures, outFeatures, bias, weight, generator } = readOptions(owner, options, RULES)
    this.inFeatures = inFeatures
    this.outFeatures = outFeatures
    const sizes = linearParameters({ inFeatures, outFeatures })
    requireAllocatable(owner, sizes)
    const weights = generator.uniform(allocate(owner, 'weight', sizes.weight), ...kaimingBounds(inFeatures))
    this.weight =
      weight !== undefined
        ? this.shareParameter('weight', weight, sizes.weight.shape)
        : this.registerParameter('weight', weights, sizes.weight.shape)
    if (bias) {
      const bound = 1 / Math.sqrt(inFeatures)
      const biases = generator.uniform(new Float32Array(outFeatures), -bound, bound)
      this.bias = this.registerParameter('bias', biases, sizes.bias.shape)
    }
  }

  /**
   * @param inputs float32 `[…, inFeatures]`
   * @returns `[…, outFeatures]`, which the caller disposes
   * @throws {@link TensorError} when the inputs are not a live float32 tensor, {@link ShapeError} when the last axis is not
   * `inFeatures`, {@link ModuleDisposedError} when the layer was disposed.
   */
  forward(inputs: Tensor, context: LayerContext = {}): Tensor {
    requireContext(() => this.label(), context)
    this.prepare(inputs)
    const { weight, bias } = this as unknown as { weight: Tensor2D; bias: Tensor1D | undefined }
    if (canFuseLinear(inputs.size * this.outFeatures)) return fusedLinear(inputs, weight, bias)
    return tidy(() => {
      const product = matMul(reshape(inputs, [-1, this.inFeatures]), weight, false, true)
      return reshape(bias === undefined ? product : add(product, bias), this.outputShape(inputs))
    })
  }

  /** As {@link Layer.vjp}. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    this.prepare(inputs)
    if (!this.hasPullback()) return undefined
    if (canFuseLinear(inputs.size * this.outFeatures)) return this.fusedPass(inputs, options)
    const { weight, bias } = this
    return recompute((x) => this.forward(x), inputs, options, { weight, bias })
  }

  protected override summaryOfLayer(): LayerSummary {
    return { shapes: `[…, ${this.inFeatures}] -> […, ${this.outFeatures}]`, computedBy: describeLinear() }
  }

  /** Through the kernels, outside of the tape. */
  private fusedPass(inputs: Tensor, { inputGradient = false }: VJPOptions): LayerVJP {
    const { weight, bias } = this
    // The pullback reads the inputs and the weight once more, whatever has become of their tensors by then.
    const [x, held] = [holdValues(inputs), holdValues(weight)]
    const output = takeArray((x.values.length / this.inFeatures) * this.outFeatures)
    const pass = linearPass(x.values, weight as unknown as Tensor2D, bias as Tensor1D | undefined, output)
    const value = passingTensor(output, this.outputShape(inputs))
    return passOf(() => this.label(), {
      value,
      pullback: (gradient) => {
        const to = { x: takeArray(inputs.size), weight: takeArray(weight.size), bias: takeArray(this.outFeatures) }
        pass.pullback(readValues(gradient), to)
        const tensorIf = (isWanted: boolean | undefined, values: Float32Array, shape: number[]) => {
          if (isWanted) return passingTensor(values, shape)
          giveArray(values)
          return undefined
        }
        const byInputs = tensorIf(inputGradient, to.x, inputs.shape)
        const byWeight = tensorIf(weight.trainable, to.weight, weight.shape)
        const byBias = tensorIf(bias?.trainable, to.bias, [this.outFeatures])
        return {
          ...(byInputs && { inputs: byInputs }),
          parameters: { ...(byWeight && { weight: byWeight }), ...(byBias && { bias: byBias }) },
        }
      },
      release() {
        value.dispose()
        x.release()
        held.release()
      },
    })
  }

  private outputShape({ shape }: Tensor): number[] {
    return [...shape.slice(0, -1), this.outFeatures]
  }

  /** Everything that a pass reads is alive, fits, and is on the current backend. */
  private prepare(inputs: Tensor): void {
    this.requireUsable()
    requireTensor(() => `inputs of ${this.label()}`, inputs)
    const { shape } = inputs
    if (shape.length < 1 || shape[shape.length - 1] !== this.inFeatures || inputs.size === 0) {
      const rest = shape.slice(1).reduce((product, size) => product * size, 1)
      const hint = shape.length > 2 && rest === this.inFeatures ? `; reshape it to [${shape[0]}, ${rest}]` : ''
      throw new ShapeError(
        `inputs has shape [${shape}], ${this.label()} expects [..., ${this.inFeatures}] (inFeatures), none of them 0${hint}`,
      )
    }
    bringToCurrentBackend('inputs', inputs)
    bringParameters([this.weight, this.bias])
  }
}

const RULES = {
  ...{ inFeatures: integer(1), outFeatures: integer(1), bias: flag(true), generator: GENERATOR },
  weight: unchecked<Variable | undefined>(),
} satisfies Rules<LinearOptions>

/** The parameters of `torch.nn.Linear`, in its order: `weight` [out, in] and `bias` [out]. */
export function linearParameters(features: { inFeatures: number; outFeatures: number }): ParameterSizes {
  const { inFeatures, outFeatures } = features
  const options = inFeatures > outFeatures ? { inFeatures, outFeatures } : { outFeatures, inFeatures }
  return {
    weight: { shape: [outFeatures, inFeatures], options },
    bias: { shape: [outFeatures], options: { outFeatures } },
  }
}

/** The bounds of `kaiming_uniform_(a=√5)`, in PyTorch's order of operations: almost 1/√fanIn, but for the last bit. */
function kaimingBounds(fanIn: number): [number, number] {
  const gain = Math.sqrt(2 / (1 + Math.sqrt(5) ** 2))
  const bound = Math.sqrt(3) * (gain / Math.sqrt(fanIn))
  return [-bound, bound]
}
