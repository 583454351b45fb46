import { refuseUnknownOptions } from '@rowwise/errors'
import type { Generator } from '@rowwise/torch-random'
import { LoaderOptionError } from '../errors'

/** Draws the order of an epoch. */
export interface Sampler {
  /** Samples in an epoch, of a data set with `available` samples. */
  samples(available: number): number
  /**
   * The order of an epoch: indices from 0 to `available` − 1.
   *
   * @param generator the loader's; undefined where that has none
   * @param batchSize samples that are taken at once
   */
  draw(available: number, generator: Generator | undefined, batchSize: number): Int32Array
}

/**
 * The order of the data set, as `torch.utils.data.SequentialSampler`.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(dataset, { sampler: sequentialSampler() })
 * ```
 */
export function sequentialSampler(): Sampler {
  return {
    samples: (available) => available,
    draw: (available) => Int32Array.from({ length: available }, (_, index) => index),
  }
}

/**
 * Every sample once in a new order each epoch, as `torch.utils.data.RandomSampler`: what `shuffle: true` means. It draws a seed from the
 * loader's generator, with which a fresh one makes `randperm`.
 *
 * @example
 * ```ts
 * const loader = new DataLoader(dataset, { sampler: randomSampler(), generator: new Generator(0) })
 * ```
 */
export function randomSampler(): Sampler {
  return {
    samples: (available) => available,
    draw: (available, generator) => requireGenerator('randomSampler', generator).fork().randperm(available),
  }
}

/** How {@link weightedSampler} draws. */
export interface WeightedSamplerOptions {
  /** How often each sample comes, in proportion: a number of at least 0 for each. */
  weights: ArrayLike<number>
  /** Samples in an epoch. @default as many as there are weights */
  numSamples?: number
}

/**
 * Draws samples by their weights, with replacement, as `torch.utils.data.WeightedRandomSampler` does with the loader's generator: for
 * classes that are rare.
 *
 * @throws {@link LoaderOptionError} when a weight is negative, all are 0, or they are not as many as the data set's samples.
 * @example
 * ```ts
 * const weights = labels.map((label) => 1 / counts[label])
 * const loader = new DataLoader(dataset, { sampler: weightedSampler({ weights }), generator: new Generator(0) })
 * ```
 */
export function weightedSampler(options: WeightedSamplerOptions): Sampler {
  refuseUnknownOptions('weightedSampler()', options, { weights: true, numSamples: true }, LoaderOptionError)
  const weights = numbersOf('weightedSampler: weights', options.weights)
  const { numSamples = weights.length } = options
  const stray = weights.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)))
  if (stray >= 0)
    throw new LoaderOptionError(`weightedSampler: weight ${stray} is ${weights[stray]}, expected at least 0`)
  const cumulative = weights.slice()
  for (let k = 1; k < cumulative.length; k++) cumulative[k] += cumulative[k - 1]
  const total = cumulative[cumulative.length - 1]
  if (!(total > 0))
    throw new LoaderOptionError('weightedSampler: all weights are 0; one sample at least must have some')
  for (let k = 0; k < cumulative.length; k++) cumulative[k] /= total
  if (!Number.isInteger(numSamples) || numSamples < 1) {
    throw new LoaderOptionError(`weightedSampler: numSamples is ${numSamples}, expected an integer of at least 1`)
  }
  return {
    samples: () => numSamples,
    draw(available, given) {
      const generator = requireGenerator('weightedSampler', given)
      if (available !== weights.length) {
        throw new LoaderOptionError(`weightedSampler has ${weights.length} weights, the data set ${available} samples`)
      }
      return Int32Array.from({ length: numSamples }, () => firstAtLeast(cumulative, unit(generator)))
    },
  }
}

function numbersOf(name: string, values: ArrayLike<number>): Float64Array {
  if (typeof values?.length === 'number') return Float64Array.from(values)
  throw new LoaderOptionError(`${name} is ${String(values)}, expected a number for each sample`)
}

/** A number from [0, 1) of 53 random bits, as `at::uniform_real_distribution<double>`. */
function unit(generator: Generator): number {
  return Number(generator.random64() & ((1n << 53n) - 1n)) * 2 ** -53
}

/** The first place whose number is not below a value, as `torch.multinomial` searches it. */
function firstAtLeast(ascending: Float64Array, value: number): number {
  let [left, right] = [0, ascending.length]
  while (left < right) {
    const middle = left + Math.floor((right - left) / 2)
    if (ascending[middle] < value) left = middle + 1
    else right = middle
  }
  return Math.min(left, ascending.length - 1)
}

/** How {@link bucketSampler} groups samples. */
export interface BucketSamplerOptions {
  /** Steps of each sample. */
  lengths: ArrayLike<number>
  /** Batches whose samples are sorted among themselves; more waste less on padding, and mix less. @default 50 */
  batchesPerBucket?: number
}

/**
 * Every sample once in a new order each epoch, such that the samples of a batch are of about the same length, and little is padding:
 * shuffled, sorted by length within buckets of some batches, and the batches shuffled.
 *
 * @throws {@link LoaderOptionError} when an option is out of range, or the lengths are not as many as the data set's samples.
 * @example
 * ```ts
 * const lengths = sequences.map(({ length }) => length)
 * const loader = new DataLoader(dataset, { sampler: bucketSampler({ lengths }), generator: new Generator(0) })
 * ```
 */
export function bucketSampler(options: BucketSamplerOptions): Sampler {
  refuseUnknownOptions('bucketSampler()', options, { lengths: true, batchesPerBucket: true }, LoaderOptionError)
  const { batchesPerBucket = 50 } = options
  const lengths = numbersOf('bucketSampler: lengths', options.lengths)
  if (!Number.isInteger(batchesPerBucket) || batchesPerBucket < 1) {
    throw new LoaderOptionError(
      `bucketSampler: batchesPerBucket is ${batchesPerBucket}, expected an integer of at least 1`,
    )
  }
  return {
    samples: (available) => available,
    draw(available, given, batchSize) {
      if (available !== lengths.length) {
        throw new LoaderOptionError(`bucketSampler has ${lengths.length} lengths, the data set ${available} samples`)
      }
      const generator = requireGenerator('bucketSampler', given).fork()
      const order = generator.randperm(available)
      const bucket = batchSize * batchesPerBucket
      const full = Math.floor(available / batchSize)
      // What fills no batch is drawn before anything is sorted, or it would always be the longest.
      for (let start = 0; start < full * batchSize; start += bucket) {
        const end = Math.min(start + bucket, full * batchSize)
        order.subarray(start, end).sort((a, b) => lengths[a] - lengths[b] || a - b)
      }
      const shuffled = new Int32Array(available)
      generator.randperm(full).forEach((batch, place) => {
        shuffled.set(order.subarray(batch * batchSize, (batch + 1) * batchSize), place * batchSize)
      })
      shuffled.set(order.subarray(full * batchSize), full * batchSize) // the short batch remains the last
      return shuffled
    },
  }
}

function requireGenerator(sampler: string, generator: Generator | undefined): Generator {
  if (generator !== undefined) return generator
  throw new LoaderOptionError(
    `${sampler} draws at random, but the loader has no generator; pass generator: new Generator(seed)`,
  )
}
