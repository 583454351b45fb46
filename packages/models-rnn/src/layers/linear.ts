import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { canFuse, fusedLinear } from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
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
import { requireTensor } from './check-tensor'
import { classNameOf } from './class-name'
import { bringParameters, bringToCurrentBackend } from './current-backend'
import { ModuleOptionError, ShapeError } from './errors'
import { Module } from './module'
import { requireBoolean, requireGenerator, requirePositiveInteger } from './options'
import { allocate, type ParameterSizes, requireAllocatable } from './parameter-sizes'

/** Multiply-adds up to which the kernels' product beats TensorFlow.js's: what a call costs counts more than the arithmetic. */
export const FUSED_WORK = 1 << 22

/** How {@link Linear} is built. */
export interface LinearOptions {
  /** Features of each input sample. */
  inFeatures: number
  /** Features of each output sample. */
  outFeatures: number
  /** Learn an additive bias. @default true */
  bias?: boolean
  /** Draws the initial weights. @default a new Generator() with PyTorch's default seed */
  generator?: Generator
}

/**
 * y = x·Wᵀ + b, after `torch.nn.Linear`, with its parameters `weight` [out, in] and `bias` [out] and its initial values.
 *
 * @throws {@link ModuleOptionError} when an option is unknown, a size is not a positive integer, or too large to be allocated.
 * @example
 * ```ts
 * const layer = new Linear({ inFeatures: 64, outFeatures: 10, generator: new Generator(0) })
 * layer.forward(tf.zeros([8, 64])) // [8, 10]
 * ```
 */
export class Linear extends Module {
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
    refuseUnknownOptions(`new ${owner}()`, options, LINEAR_OPTIONS, ModuleOptionError)
    const { inFeatures, outFeatures, bias = true, generator = new Generator() } = options
    requirePositiveInteger(owner, { inFeatures, outFeatures })
    requireBoolean(owner, { bias })
    requireGenerator(owner, generator)
    this.inFeatures = inFeatures
    this.outFeatures = outFeatures
    const sizes = linearParameters({ inFeatures, outFeatures })
    requireAllocatable(owner, sizes)
    const weights = generator.uniform(allocate(owner, 'weight', sizes.weight), ...kaimingBounds(inFeatures))
    this.weight = this.registerParameter('weight', weights, sizes.weight.shape)
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
  forward(inputs: Tensor): Tensor {
    this.requireUsable()
    requireTensor('inputs', inputs)
    const { shape } = inputs
    if (shape.length < 1 || shape[shape.length - 1] !== this.inFeatures) {
      throw new ShapeError(
        `inputs has shape [${shape}], ${classNameOf(this)} expects [..., ${this.inFeatures}] (inFeatures), none of them 0`,
      )
    }
    bringToCurrentBackend('inputs', inputs)
    bringParameters([this.weight, this.bias])
    return tidy(() => {
      if (shape.length === 2) return this.applyToRows(inputs as Tensor2D)
      const rows: Tensor2D = reshape(inputs, [-1, this.inFeatures])
      return reshape(this.applyToRows(rows), [...shape.slice(0, -1), this.outFeatures])
    })
  }

  private applyToRows(rows: Tensor2D): Tensor2D {
    const weight = this.weight as unknown as Tensor2D
    const isSmall = rows.size * this.outFeatures <= FUSED_WORK
    if (isSmall && canFuse()) return fusedLinear(rows, weight, this.bias as Tensor1D | undefined)
    const product: Tensor2D = matMul(rows, weight, false, true)
    return this.bias === undefined ? product : add(product, this.bias)
  }
}

const LINEAR_OPTIONS: OptionNames<LinearOptions> = { inFeatures: true, outFeatures: true, bias: true, generator: true }

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
