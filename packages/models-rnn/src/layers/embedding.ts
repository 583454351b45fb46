import { isTypedArray } from '@rowwise/host'
import { filledTensor, hostValues, isHostBackend, readIntegers, readValues } from '@rowwise/host-values'
import type { LookupInputs } from '@rowwise/rnn-kernels'
import type { Generator } from '@rowwise/torch-random'
import {
  add,
  cast,
  customGrad,
  engine,
  gather,
  mul,
  notEqual,
  reshape,
  sub,
  Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor2d,
  tidy,
  unsortedSegmentSum,
  type Variable,
} from '@tensorflow/tfjs-core'
import { classNameOf } from '../class-name'
import { bringParameters, bringToCurrentBackend } from '../current-backend'
import { ModuleOptionError, ShapeError, TensorError } from '../errors'
import { Layer, type LayerContext, type LayerVJP, requireContext, requireVJPOptions, type VJPOptions } from '../layer'
import { GENERATOR, integer, optional, type Rules, readOptions } from '../options'
import { allocate, requireAllocatable } from '../parameter-sizes'
import { passOf } from '../pass'
import type { LayerSummary } from '../summary'

/** How {@link Embedding} is built. */
export interface EmbeddingOptions {
  /** How many vectors there are, one for each index from 0. */
  numEmbeddings: number
  /** Features of each vector. */
  embeddingDim: number
  /** The index of padding: its vector begins with zeros and gets no gradient. None when absent. */
  paddingIdx?: number
  /** Draws the initial vectors. @default a new Generator() with PyTorch's default seed */
  generator?: Generator
}

/**
 * A vector for each index, after `torch.nn.Embedding`, with its parameter `weight` [numEmbeddings, embeddingDim] and its initial
 * values, `normal_`.
 *
 * @throws {@link ModuleOptionError} when an option is unknown or out of range, or a size too large to be allocated.
 * @example
 * ```ts
 * const layer = new Embedding({ numEmbeddings: 64, embeddingDim: 32, paddingIdx: 0, generator: new Generator(0) })
 * layer.forward(tf.tensor2d([[1, 2, 0]], [1, 3], 'int32')) // [1, 3, 32]
 * ```
 */
export class Embedding extends Layer {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Embedding'
  /** How many vectors there are. */
  readonly numEmbeddings: number
  /** Features of each vector. */
  readonly embeddingDim: number
  /** The index of padding. */
  readonly paddingIdx: number | undefined
  private readonly weight: Variable

  constructor(options: EmbeddingOptions) {
    super()
    const owner = classNameOf(this)
    const { numEmbeddings, embeddingDim, paddingIdx, generator } = readOptions(owner, options, RULES)
    if (paddingIdx !== undefined && paddingIdx >= numEmbeddings) {
      throw new ModuleOptionError(`${owner}: paddingIdx is ${paddingIdx}, expected an index below ${numEmbeddings}`)
    }
    this.numEmbeddings = numEmbeddings
    this.embeddingDim = embeddingDim
    this.paddingIdx = paddingIdx
    const size = { shape: [numEmbeddings, embeddingDim], options: { numEmbeddings, embeddingDim } }
    requireAllocatable(owner, { weight: size })
    const values = generator.normal(allocate(owner, 'weight', size))
    if (paddingIdx !== undefined) values.fill(0, paddingIdx * embeddingDim, (paddingIdx + 1) * embeddingDim)
    this.weight = this.registerParameter('weight', values, size.shape)
  }

  /**
   * @param inputs int32, any shape, each from 0 to `numEmbeddings` − 1
   * @returns float32 `[…, embeddingDim]`, which the caller disposes
   * @throws {@link TensorError} when the inputs are not a live int32 tensor, {@link ShapeError} when an index has no vector,
   * {@link ModuleDisposedError} when the layer was disposed.
   */
  forward(inputs: Tensor, context: LayerContext = {}): Tensor {
    requireContext(() => this.label(), context)
    this.prepare(inputs)
    // The operation below has a gradient, and that has none; TensorFlow.js's own have.
    if (engine().state.gradientDepth > 1) return tidy(() => this.graph(inputs))
    const lookUp = customGrad((weight, save) => {
      ;(save as (saved: Tensor[]) => void)([inputs])
      const isHost = isHostBackend()
      return {
        value: isHost ? this.rows(inputs) : gather(weight as Tensor2D, inputs),
        gradFunc: (dY: Tensor, [indices]: Tensor[]) =>
          isHost ? this.sums(readIntegers(indices), dY) : this.segmentSums(indices, dY),
      }
    })
    return lookUp(this.weight)
  }

  /** As {@link Layer.vjp}; there is no gradient by indices. */
  override vjp(inputs: Tensor, options: VJPOptions = {}): LayerVJP | undefined {
    requireVJPOptions(() => this.label(), options)
    this.prepare(inputs)
    if (!this.hasPullback()) return undefined
    const value = this.rows(inputs)
    const chosen = readIntegers(inputs)
    return passOf(() => this.label(), {
      value,
      pullback: (gradient) => ({
        parameters: { ...(this.weight.trainable && { weight: this.sums(chosen, gradient) }) },
      }),
      release: () => value.dispose(),
    })
  }

  /** Whether vectors are read so often, on average, that work for each of them is less than for each index. @internal */
  isReadOften(inputs: unknown): boolean {
    return inputs instanceof Tensor && inputs.rank === 2 && inputs.size >= OFTEN * this.numEmbeddings
  }

  /** Its vectors and the indices, for a recurrent layer that multiplies each vector once. @internal */
  lookup(inputs: Tensor): LookupInputs {
    this.prepare(inputs)
    const read = readIntegers(inputs)
    // The cpu backend's cast of booleans keeps their array.
    const tokens = isTypedArray(read, 'Int32Array') ? read : Int32Array.from(read as ArrayLike<number>)
    return { tokens, vectors: this.weight as unknown as Tensor2D }
  }

  /** The gradient of `weight` from that by all vectors, a tensor that nobody has read yet: it is changed. @internal */
  withoutPadding(gradient: Tensor): Tensor {
    const { embeddingDim: width, paddingIdx } = this
    if (paddingIdx !== undefined) readValues(gradient).fill(0, paddingIdx * width, (paddingIdx + 1) * width)
    return gradient
  }

  protected override summaryOfLayer(): LayerSummary {
    return { shapes: `[…] -> […, ${this.embeddingDim}]` }
  }

  /** As a graph of TensorFlow.js's operations; what stands for padding gets no gradient. */
  private graph(inputs: Tensor): Tensor {
    const { paddingIdx, weight } = this
    const flat: Tensor1D = reshape(inputs, [-1])
    const rows: Tensor2D = gather(weight as unknown as Tensor2D, flat)
    const shape = [...inputs.shape, this.embeddingDim]
    if (paddingIdx === undefined) return reshape(rows, shape)
    const isUsed = cast(reshape(notEqual(flat, paddingIdx), [-1, 1]), 'float32')
    const padding = mul(sub(1, isUsed), tensor2d(this.rowOf(paddingIdx), [1, this.embeddingDim]))
    return reshape(add(mul(rows, isUsed), padding), shape)
  }

  private rowOf(index: number): Float32Array {
    const { embeddingDim: width } = this
    return readValues(this.weight).slice(index * width, (index + 1) * width)
  }

  /** A copy of the vector of each index. */
  private rows(indices: Tensor): Tensor {
    const { embeddingDim: width } = this
    const [vectors, chosen] = [readValues(this.weight), readIntegers(indices)]
    return filledTensor([...indices.shape, width], (values) => {
      for (let at = 0; at < chosen.length; at++) {
        const from = chosen[at] * width
        if (width >= WIDE) values.set(vectors.subarray(from, from + width), at * width)
        else for (let feature = 0; feature < width; feature++) values[at * width + feature] = vectors[from + feature]
      }
    })
  }

  /** The gradient: for each vector the sum over where it was used, in the order of the inputs. */
  private sums(chosen: Int32Array, gradient: Tensor): Tensor {
    const { embeddingDim: width, paddingIdx } = this
    const dY = readValues(gradient)
    return filledTensor(this.weight.shape, (sums) => {
      sums.fill(0)
      for (let at = 0; at < chosen.length; at++) {
        if (chosen[at] === paddingIdx) continue
        const to = chosen[at] * width
        for (let feature = 0; feature < width; feature++) sums[to + feature] += dY[at * width + feature]
      }
    })
  }

  /** The same as TensorFlow.js's operations, for values that stay on a device. */
  private segmentSums(indices: Tensor, gradient: Tensor): Tensor {
    return tidy(() => {
      const flat: Tensor1D = reshape(indices, [-1])
      const rows: Tensor2D = reshape(gradient, [-1, this.embeddingDim])
      const isUsed = this.paddingIdx === undefined ? undefined : reshape(notEqual(flat, this.paddingIdx), [-1, 1])
      return unsortedSegmentSum(isUsed ? mul(rows, isUsed) : rows, flat, this.numEmbeddings)
    })
  }

  /** Everything that a pass reads is alive, fits, and is on the current backend. */
  private prepare(inputs: Tensor): void {
    this.requireUsable()
    if (!(inputs instanceof Tensor) || inputs.isDisposed || inputs.dtype !== 'int32' || inputs.size === 0) {
      const found = !(inputs instanceof Tensor)
        ? 'no tensor'
        : inputs.isDisposed
          ? 'a disposed tensor'
          : `${inputs.dtype} [${inputs.shape}]`
      const advice =
        inputs instanceof Tensor && inputs.dtype === 'float32' ? "; convert it with tf.cast(x, 'int32')" : ''
      throw new TensorError(`inputs of ${this.label()} is ${found}, expected an int32 tensor of indices${advice}`)
    }
    bringToCurrentBackend('inputs', inputs)
    bringParameters([this.weight])
    if (!isHostBackend() && hostValues(inputs) === undefined) return // nothing waits for a device here
    const stray = readIntegers(inputs).find((index) => !(index >= 0 && index < this.numEmbeddings))
    if (stray === undefined) return
    throw new ShapeError(
      `inputs of ${this.label()} has the index ${stray}, expected 0 to ${this.numEmbeddings - 1} (numEmbeddings)`,
    )
  }
}

/** How often vectors must be read on average: a table of more of them costs more than it saves. */
const OFTEN = 8

/** Features from which on a vector is copied faster by a call than in a loop. */
const WIDE = 64

const RULES = {
  ...{ numEmbeddings: integer(1), embeddingDim: integer(1), paddingIdx: optional(integer(0)), generator: GENERATOR },
} satisfies Rules<EmbeddingOptions>
