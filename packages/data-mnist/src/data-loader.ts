import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { isTypedArray } from '@rowwise/host'
import { filledTensor, hostTensor } from '@rowwise/host-values'
import type { Generator } from '@rowwise/torch-random'
import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-core'
import type { ImageDataset } from './dataset'
import { LoaderOptionError } from './errors'
import { type PixelTable, scaleToUnit } from './normalize'

/** How {@link DataLoader} cuts a data set into batches. */
export interface DataLoaderOptions {
  /** Samples per batch. @default 64 */
  batchSize?: number
  /** Draw a new order for each epoch; needs `generator`. File order otherwise. @default false */
  shuffle?: boolean
  /** The random stream to draw from, in the place of PyTorch's default generator. */
  generator?: Generator
  /** What becomes of each pixel, e.g. {@link normalize}. @default byte/255 */
  transform?: PixelTable
  /** Leave out a last batch that is not full. @default false */
  dropLast?: boolean
}

const OPTIONS: OptionNames<DataLoaderOptions> = {
  batchSize: true,
  shuffle: true,
  generator: true,
  transform: true,
  dropLast: true,
}

/** One batch; the loader disposes both tensors when the next batch is asked for, or the loop is left. */
export interface Batch {
  /** float32 `[N, height, width]`: an image as `height` time steps of `width` features. */
  inputs: Tensor3D
  /** int32 `[N]`: the labels. */
  targets: Tensor1D
}

/** Where a {@link DataLoader} stands; plain data, for {@link DataLoader.restore}. */
export interface DataLoaderState {
  /** Samples per batch. */
  batchSize: number
  /** Samples in an epoch. */
  samples: number
  /** Batches of the epoch under way that were handed out. */
  batchesDone: number
  /** The generator as it was before that epoch's draws; null between epochs, or without a generator. */
  epochStart: Uint8Array | null
  /** The generator as it is; null without one. */
  generator: Uint8Array | null
}

/**
 * Cuts a data set into batches of tensors, in the order that PyTorch's `DataLoader` takes; iterate it once per epoch.
 *
 * An epoch draws from `generator` what PyTorch's draws from the default one: a base seed that goes unused here, and with
 * `shuffle` a second seed, with which a fresh generator makes `randperm(length)`.
 *
 * Batches belong to the loader: `inputs` and `targets` live until the next batch. Clone what should live longer.
 *
 * @throws {@link LoaderOptionError} when an option is out of range, or `shuffle` lacks a generator.
 * @example
 * ```ts
 * const loader = new DataLoader(train, { batchSize: 64, shuffle: true, generator: new Generator(0), transform: normalize(0.1307, 0.3081) })
 * for (const { inputs, targets } of loader) console.log(inputs.shape, targets.shape) // [64, 28, 28] [64]
 * ```
 */
export class DataLoader implements Iterable<Batch> {
  /** Samples per batch; the last one may have fewer. */
  readonly batchSize: number
  private readonly shuffle: boolean
  private readonly generator: Generator | undefined
  private readonly transform: PixelTable
  private readonly dropLast: boolean
  private batchesDone = 0
  private epochStart: Uint8Array | null = null
  private resumeAt: DataLoaderState | null = null

  constructor(
    /** What is cut into batches. */
    readonly dataset: ImageDataset,
    options: DataLoaderOptions = {},
  ) {
    refuseUnknownOptions('new DataLoader()', options, OPTIONS, LoaderOptionError)
    checkDataset(dataset)
    const { batchSize = 64, shuffle = false, generator, transform = scaleToUnit(), dropLast = false } = options
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new LoaderOptionError(`batchSize is ${batchSize}, expected an integer of at least 1`)
    }
    if (shuffle && generator === undefined) {
      throw new LoaderOptionError('shuffle is true without a generator; pass generator: new Generator(seed)')
    }
    if (transform.length !== 256) {
      throw new LoaderOptionError(`transform has ${transform.length} entries, expected one for each of 256 bytes`)
    }
    this.batchSize = batchSize
    this.shuffle = shuffle
    this.generator = generator
    this.transform = transform
    this.dropLast = dropLast
  }

  /** Batches in an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  /** Samples in an epoch. */
  get samples(): number {
    return this.dropLast ? this.length * this.batchSize : this.dataset.length
  }

  /** An epoch: its order is drawn when the first batch is asked for. */
  *[Symbol.iterator](): Iterator<Batch> {
    const first = this.resumeAt?.batchesDone ?? 0
    const order = this.drawOrder()
    // Others may have drawn from the generator after this epoch's order was drawn, such as a model's dropout.
    if (this.resumeAt?.epochStart && this.resumeAt.generator) this.generator?.setState(this.resumeAt.generator)
    this.resumeAt = null
    this.batchesDone = first
    for (let batch = first; batch < this.length; batch++) {
      const { inputs, targets } = this.batchAt(batch, order)
      this.batchesDone = batch + 1
      try {
        yield { inputs, targets }
      } finally {
        inputs.dispose()
        targets.dispose()
      }
    }
    this.batchesDone = 0
    this.epochStart = null
  }

  /** Where the loader stands: between epochs, or after the batch that was handed out last. */
  state(): DataLoaderState {
    if (this.resumeAt?.epochStart) return this.resumeAt
    const { batchSize, samples, batchesDone, epochStart } = this
    return { batchSize, samples, batchesDone, epochStart, generator: this.generator?.state() ?? null }
  }

  /**
   * Goes back to a state: the next loop hands out the batches that were left, with the order they had, and the generator goes on
   * from where it then was.
   *
   * @throws {@link LoaderOptionError} when the state does not fit this loader, which is then unchanged.
   */
  restore(state: DataLoaderState): void {
    const { batchesDone, epochStart, generator } = state
    for (const name of ['batchSize', 'samples'] as const) {
      if (state[name] !== this[name]) {
        throw new LoaderOptionError(`the state has ${name} ${state[name]}, this loader ${this[name]}; use the same`)
      }
    }
    if (!Number.isInteger(batchesDone) || batchesDone < 0 || batchesDone > this.length) {
      throw new LoaderOptionError(`the state is at batch ${batchesDone}, this loader has ${this.length} batches`)
    }
    if ((generator === null) !== (this.generator === undefined)) {
      const [theirs, ours] = generator === null ? ['without', 'with'] : ['with', 'without']
      throw new LoaderOptionError(`the state was taken ${theirs} a generator, this loader is ${ours} one; use the same`)
    }
    // The order of an epoch that was begun is drawn again, from where its draws began.
    if (this.generator && generator) setStates(this.generator, [generator, epochStart ?? generator])
    this.batchesDone = batchesDone
    this.epochStart = epochStart
    this.resumeAt = state
  }

  /** The epoch's order, or undefined for file order; draws as an epoch of PyTorch's DataLoader draws. */
  private drawOrder(): Int32Array | undefined {
    if (this.generator === undefined) return undefined
    this.epochStart = this.generator.state()
    this.generator.randomInt64() // the base seed of PyTorch's iterator, which only its worker processes use
    return this.shuffle ? this.generator.fork().randperm(this.dataset.length) : undefined
  }

  private batchAt(batch: number, order: Int32Array | undefined): Batch {
    const { batchSize, transform } = this
    const { images, height, width, length, labels } = this.dataset
    const start = batch * batchSize
    const count = Math.min(batchSize, length - start)
    const size = height * width
    const targets = new Int32Array(count)
    const inputs = filledTensor([count, height, width], (values) => {
      for (let row = 0; row < count; row++) {
        const item = order?.[start + row] ?? start + row
        targets[row] = labels[item]
        lookUp(images, item * size, transform, values, row * size, size)
      }
    })
    return { inputs: inputs as Tensor3D, targets: hostTensor(targets, [count]) as Tensor1D }
  }
}

/** The table's entries of `count` bytes. */
function lookUp(bytes: Uint8Array, from: number, table: PixelTable, to: Float32Array, at: number, count: number): void {
  for (let k = 0; k < count; k++) to[at + k] = table[bytes[from + k]]
}

function checkDataset(dataset: Partial<ImageDataset> | null | undefined): void {
  if (typeof dataset?.length === 'number' && isTypedArray(dataset.images, 'Uint8Array')) return
  const found =
    dataset !== null && typeof dataset === 'object' ? `{ ${Object.keys(dataset).join(', ')} }` : String(dataset)
  throw new LoaderOptionError(`new DataLoader() got ${found}, expected one data set, such as train of loadMnist()`)
}

/** Sets one state after the other, or none of them. */
function setStates(generator: Generator, states: readonly Uint8Array[]): void {
  const before = generator.state()
  try {
    for (const state of states) generator.setState(state)
  } catch (error) {
    generator.setState(before)
    throw error
  }
}
