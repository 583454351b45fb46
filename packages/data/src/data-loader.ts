import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import type { Generator } from '@rowwise/torch-random'
import { dispose, Tensor } from '@tensorflow/tfjs-core'
import { batchOf, batchOfLocated, type Collate, transformed } from './collate'
import { type Batch, countSamples, type Dataset, type LocatedSamples, type Samples } from './dataset'
import { DatasetError, LoaderOptionError } from './errors'
import { randomSampler, type Sampler } from './sampling/samplers'
import { requireTransform, type Transform } from './transform'

/** How {@link DataLoader} cuts a data set into batches. */
export interface DataLoaderOptions<B extends Batch = Batch> {
  /** Samples per batch. @default 64 */
  batchSize?: number
  /** Draw a new order for each epoch; needs `generator`. The data set's order otherwise. @default false */
  shuffle?: boolean
  /** Draws the order of each epoch, instead of `shuffle`. */
  sampler?: Sampler
  /** The random stream to draw from, instead of PyTorch's default generator. */
  generator?: Generator
  /** What becomes of the inputs, e.g. `normalize` of `@rowwise/data-mnist`. @default what the data set says, or nothing */
  transform?: Transform
  /** Makes a batch of tensors of samples. @default padSequences() */
  collate?: Collate<B>
  /** Leave out a last batch that is not full. @default false */
  dropLast?: boolean
  /** Batches that are read before they are asked for, of a data set that is read only then. @default 1 */
  prefetch?: number
}

const OPTIONS: OptionNames<DataLoaderOptions> = {
  ...{ batchSize: true, shuffle: true, sampler: true, generator: true },
  ...{ transform: true, collate: true, dropLast: true, prefetch: true },
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
 * Cuts a data set into batches of tensors, in the order that PyTorch's `DataLoader` takes; iterate it once per epoch, with `for await` where
 * the data set reads its samples only then.
 *
 * An epoch draws from `generator` what PyTorch's draws from the default one: a base seed that goes unused here, and then what its
 * sampler draws.
 *
 * Batches belong to the loader: their tensors live until the next batch. Clone what should live longer.
 *
 * @throws {@link LoaderOptionError} when an option is out of range, or `shuffle` lacks a generator.
 * @example
 * ```ts
 * const loader = new DataLoader(dataset, { batchSize: 64, shuffle: true, generator: new Generator(0) })
 * for await (const { inputs, targets } of loader) console.log(targets.shape) // [64]
 * ```
 */
export class DataLoader<B extends Batch = Batch> implements Iterable<B>, AsyncIterable<B> {
  /** Samples per batch; the last one may have fewer. */
  readonly batchSize: number
  private readonly sampler: Sampler | undefined
  private readonly generator: Generator | undefined
  private readonly transform: Transform | undefined
  private readonly collate: Collate<B> | undefined
  private readonly dropLast: boolean
  private readonly prefetch: number
  private batchesDone = 0
  private epochStart: Uint8Array | null = null
  private resumeAt: DataLoaderState | null = null
  /** Samples in memory that were looked at. */
  private located: Samples | null = null

  constructor(
    /** What is cut into batches. */
    readonly dataset: Dataset<B>,
    options: DataLoaderOptions<B> = {},
  ) {
    refuseUnknownOptions<object>('new DataLoader()', options, OPTIONS, LoaderOptionError)
    checkDataset(dataset)
    const { batchSize = 64, shuffle = false, sampler, generator, dropLast = false, prefetch = 1 } = options
    const { transform = dataset.transform, collate } = options
    for (const [name, value, least] of [['batchSize', batchSize, 1] as const, ['prefetch', prefetch, 0] as const]) {
      if (Number.isInteger(value) && value >= least) continue
      throw new LoaderOptionError(`${name} is ${value}, expected an integer of at least ${least}`)
    }
    if (shuffle && sampler)
      throw new LoaderOptionError('shuffle is true beside a sampler, which draws the order; leave one out')
    if (shuffle && generator === undefined) {
      throw new LoaderOptionError('shuffle is true without a generator; pass generator: new Generator(seed)')
    }
    if (generator !== undefined && typeof generator?.randomInt64 !== 'function') {
      throw new LoaderOptionError(`generator is ${String(generator)}, expected new Generator(seed)`)
    }
    if (sampler !== undefined && (typeof sampler?.draw !== 'function' || typeof sampler.samples !== 'function')) {
      throw new LoaderOptionError('sampler is no { samples, draw }, expected one such as weightedSampler({ weights })')
    }
    if (collate !== undefined && typeof collate !== 'function')
      throw new LoaderOptionError('collate is not a function, expected one of samples')
    requireTransform(transform)
    this.batchSize = batchSize
    this.sampler = sampler ?? (shuffle ? randomSampler() : undefined)
    this.generator = generator
    this.transform = transform
    this.collate = collate
    this.dropLast = dropLast
    this.prefetch = prefetch
  }

  /** Batches in an epoch. */
  get length(): number {
    const batches = this.drawn / this.batchSize
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches)
  }

  /** Samples in an epoch. */
  get samples(): number {
    return this.dropLast ? this.length * this.batchSize : this.drawn
  }

  private get drawn(): number {
    return this.sampler?.samples(this.dataset.length) ?? this.dataset.length
  }

  /** An epoch: its order is drawn when the first batch is asked for. */
  *[Symbol.iterator](): Iterator<B> {
    const { first, order } = this.begin()
    for (let batch = first; batch < this.length; batch++) {
      const found = this.read(batch, order)
      if (found instanceof Promise) {
        throw new LoaderOptionError(
          'the data set reads its samples when they are asked for; use for await (… of loader)',
        )
      }
      const made = this.make(batch, found)
      try {
        yield made
      } finally {
        disposeBatch(made)
      }
    }
    this.end()
  }

  /** An epoch of a data set that may read its samples only now; the next batches are read meanwhile. */
  async *[Symbol.asyncIterator](): AsyncIterator<B> {
    const { first, order } = this.begin()
    const ahead: (Found | Promise<Found>)[] = []
    for (let batch = first; batch < this.length; batch++) {
      while (ahead.length <= this.prefetch && batch + ahead.length < this.length) {
        const found = this.read(batch + ahead.length, order)
        if (found instanceof Promise) found.catch(() => {}) // thrown below, when its turn comes
        ahead.push(found)
        if (!(found instanceof Promise)) break
      }
      const next = ahead.shift() as Found | Promise<Found>
      const made = this.make(batch, next instanceof Promise ? await next : next)
      try {
        yield made
      } finally {
        disposeBatch(made)
      }
    }
    this.end()
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
    if (typeof state !== 'object' || state === null) {
      throw new LoaderOptionError(`the state is ${String(state)}, expected what state() gave`)
    }
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

  private begin(): { first: number; order: Int32Array | undefined } {
    const first = this.resumeAt?.batchesDone ?? 0
    // Whoever has drawn from the generator since, or set it to where it was, does not change this epoch's order.
    if (this.resumeAt?.epochStart) this.generator?.setState(this.resumeAt.epochStart)
    const order = this.drawOrder()
    // Others may have drawn from the generator after this epoch's order was drawn, such as a model's dropout.
    if (this.resumeAt?.epochStart && this.resumeAt.generator) this.generator?.setState(this.resumeAt.generator)
    this.resumeAt = null
    this.batchesDone = first
    return { first, order }
  }

  private end(): void {
    this.batchesDone = 0
    this.epochStart = null
  }

  /** The epoch's order, or undefined for the data set's; draws as an epoch of PyTorch's DataLoader draws. */
  private drawOrder(): Int32Array | undefined {
    const { generator, sampler, batchSize } = this
    if (generator) {
      this.epochStart = generator.state()
      generator.randomInt64() // the base seed of PyTorch's iterator, which only its worker processes use
    }
    const order = sampler?.draw(this.dataset.length, generator, batchSize)
    if (order) requireIndices(order, this.dataset.length, this.drawn)
    return order
  }

  /** Samples in memory stay there until {@link make} makes tensors of them, unless somebody wants to see them first. */
  private read(batch: number, order: Int32Array | undefined): Found | Promise<Found> {
    const start = batch * this.batchSize
    const end = Math.min(start + this.batchSize, this.drawn)
    const indices = order?.slice(start, end) ?? Int32Array.from({ length: end - start }, (_, row) => start + row)
    const isSeen = this.collate !== undefined || typeof this.transform === 'function'
    return (isSeen ? undefined : this.dataset.locate?.(indices)) ?? this.dataset.get(indices)
  }

  private make(batch: number, found: Found): B {
    const { collate, transform } = this
    this.batchesDone = batch + 1
    const count = Math.min(this.batchSize, this.drawn - batch * this.batchSize)
    if (isLocated(found)) {
      this.requireLocated(found, count)
      return batchOfLocated(found, transform) as B
    }
    if (collate === undefined) return batchOf(found, transform, count) as B
    return requireTensors(collate(transformed(found, transform)))
  }

  /** Refuses what a data set's own `locate` gives that are not the samples that were asked for. */
  private requireLocated({ samples, indices }: LocatedSamples, count: number): void {
    if (samples !== this.located) countSamples("the data set's locate()", samples)
    this.located = samples
    if (indices.length === count) return
    throw new DatasetError(`the data set's locate() gave ${indices.length} indices, expected ${count}`)
  }
}

type Found = Samples | LocatedSamples

function isLocated(found: Found): found is LocatedSamples {
  return (found as Partial<LocatedSamples> | undefined)?.samples !== undefined
}

/** Refuses what a collation of one's own made that is no batch. */
function requireTensors<B extends Batch>(made: B): B {
  const { inputs, targets } = ((made as unknown) ?? {}) as Partial<Batch>
  if (targets instanceof Tensor && typeof inputs === 'object' && inputs !== null) return made
  dispose((made ?? {}) as object as Record<string, Tensor>)
  const found =
    (made as unknown) instanceof Promise ? 'a promise; read what it waits for in the data set' : 'no such thing'
  throw new LoaderOptionError(`collate gave ${found}, expected { inputs, targets } of tensors`)
}

function disposeBatch({ inputs, targets }: Batch): void {
  if (inputs instanceof Tensor) inputs.dispose()
  else for (const part of Object.values(inputs)) if (part instanceof Tensor) part.dispose()
  targets.dispose()
}

/** A loop, because a function called for each of many samples takes longer than all the rest of an epoch's beginning. */
function requireIndices(order: Int32Array, length: number, count: number): void {
  if (!(order instanceof Int32Array) || order.length !== count) {
    const found = order instanceof Int32Array ? `${order.length} indices` : 'no Int32Array'
    throw new LoaderOptionError(
      `the sampler's draw() gave ${found}, expected an Int32Array of ${count}, as its samples() says`,
    )
  }
  for (let k = 0; k < order.length; k++) {
    if (order[k] >= 0 && order[k] < length) continue
    throw new LoaderOptionError(`the sampler drew sample ${order[k]} of ${length}, counted from 0`)
  }
}

function checkDataset(dataset: Partial<Dataset> | null | undefined): void {
  const { length, get } = dataset ?? {}
  if (typeof length === 'number' && typeof get === 'function') {
    if (Number.isInteger(length) && length > 0) return
    throw new LoaderOptionError(`new DataLoader() got a data set of ${length} samples, expected one or more`)
  }
  const found =
    dataset !== null && typeof dataset === 'object' ? `{ ${Object.keys(dataset).join(', ')} }` : String(dataset)
  throw new LoaderOptionError(
    `new DataLoader() got ${found}, expected one data set, such as a TensorDataset, or train of loadMnist()`,
  )
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
