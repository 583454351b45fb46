import type { Generator } from '@rowwise/torch-random'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type Column, gather, type SequenceColumn, samplesOf } from './column'
import { DatasetError, LoaderOptionError } from './errors'
import type { Transform } from './transform'

/** One thing of each sample, or several by name. */
export type Inputs = Column | SequenceColumn | { readonly [name: string]: Column | SequenceColumn }

/** Some samples of a data set, before they are tensors. */
export interface Samples {
  /** What a model reads. */
  readonly inputs: Inputs
  /** What a loss compares with. */
  readonly targets: Column | SequenceColumn
}

/** A batch of tensors: what a training loop takes. */
export interface Batch {
  /** What a model's `forward` is called with: a tensor `[N, …]`, or several things by name. */
  inputs: Tensor | Readonly<Record<string, unknown>>
  /** What a loss compares with, `[N, …]`. */
  targets: Tensor
}

/** A batch of arrays of one shape. */
export interface TensorBatch {
  /** `[N, …]` */
  inputs: Tensor
  /** `[N, …]` */
  targets: Tensor
}

/** A batch of sequences, filled up to the longest. */
export interface SequenceBatch {
  /** What a `Sequential` of `@rowwise/models-rnn` takes. */
  inputs: PaddedSequences
  /** `[N, …]` */
  targets: Tensor
}

/** Sequences that were filled up. */
export interface PaddedSequences {
  /** `[N, T, …]`, where T is the longest of them. */
  inputs: Tensor
  /** The steps of each, `[N]`. */
  lengths: Int32Array
  /** As in any inputs of several things. */
  [name: string]: unknown
}

/** The batch that a loader makes of samples. */
export type BatchOf<S extends Samples> = S['inputs'] extends SequenceColumn
  ? SequenceBatch
  : S['inputs'] extends Column
    ? TensorBatch
    : Batch

/**
 * Where samples come from. One `get` gathers a batch, so nothing is called for each sample.
 *
 * @example
 * ```ts
 * const squares: Dataset = {
 *   length: 1000,
 *   get: (indices) => ({
 *     inputs: { data: Float32Array.from(indices), shape: [indices.length, 1] },
 *     targets: { data: Float32Array.from(indices, (n) => n * n), shape: [indices.length, 1] },
 *   }),
 * }
 * ```
 */
export interface Dataset<B extends Batch = Batch> {
  /** How many samples there are. */
  readonly length: number
  /** These samples, in this order; a promise where they are read only now. */
  get(indices: Int32Array): Samples | Promise<Samples>
  /** What becomes of the inputs where a loader is not told otherwise. */
  readonly transform?: Transform
  /** Never there: the type of the batches that a loader makes of it. */
  readonly batch?: B
}

/**
 * Samples in typed arrays of any kind and shape.
 *
 * @throws {@link DatasetError} when there is no sample, data and shape do not fit, or inputs and targets are of different lengths.
 * @example
 * ```ts
 * const dataset = new TensorDataset({
 *   inputs: { data: new Float32Array(100 * 20 * 3), shape: [100, 20, 3] },
 *   targets: { data: new Uint8Array(100), shape: [100] },
 * })
 * ```
 */
export class TensorDataset<S extends Samples = Samples> implements Dataset<BatchOf<S>> {
  /** How many samples there are. */
  readonly length: number
  /** All samples. */
  readonly samples: S
  /** Never there: the type of the batches that a loader makes of it. */
  declare readonly batch?: BatchOf<S>

  constructor(samples: S) {
    const counts = { ...namedCounts(samples.inputs), targets: samplesOf('targets', samples.targets) }
    const [first, ...rest] = Object.entries(counts)
    const other = rest.find(([, count]) => count !== first[1])
    if (other) {
      throw new DatasetError(`${first[0]} has ${first[1]} samples, ${other[0]} ${other[1]}; each needs one of both`)
    }
    if (first[1] === 0) throw new DatasetError('the data set has no sample; give it data')
    this.length = first[1]
    this.samples = samples
  }

  /** Gathers samples. */
  get(indices: Int32Array): Samples {
    const { inputs, targets } = this.samples
    return { inputs: mapInputs(inputs, (column) => gather(column, indices)), targets: gather(targets, indices) }
  }
}

function namedCounts(inputs: Inputs): Record<string, number> {
  if (isColumn(inputs)) return { inputs: samplesOf('inputs', inputs) }
  if (typeof inputs !== 'object' || inputs === null || Object.keys(inputs).length === 0) {
    throw new DatasetError(
      `inputs is ${String(inputs)}, expected { data, shape }, { sequences, stepShape }, or several by name`,
    )
  }
  return Object.fromEntries(
    Object.entries(inputs).map(([name, column]) => [`inputs.${name}`, samplesOf(`inputs.${name}`, column)]),
  )
}

/** Whether inputs are one thing, and not several by name. */
export function isColumn(inputs: Inputs): inputs is Column | SequenceColumn {
  const { data, sequences, shape } = (inputs ?? {}) as Partial<Column & SequenceColumn>
  return ArrayBuffer.isView(data) || Array.isArray(sequences) || Array.isArray(shape)
}

/** Calls with each thing that inputs are. */
export function mapInputs(inputs: Inputs, map: (column: Column | SequenceColumn) => Column | SequenceColumn): Inputs {
  if (isColumn(inputs)) return map(inputs)
  return Object.fromEntries(Object.entries(inputs).map(([name, column]) => [name, map(column)]))
}

/**
 * Some samples of a data set, without copying: from `start` up to, not including, `end`, or those at `indices`.
 *
 * @throws {@link LoaderOptionError} when a sample is not there, or there is none.
 * @example
 * ```ts
 * const first1000 = subset(dataset, 0, 1000)
 * const chosen = subset(dataset, [3, 1, 4])
 * ```
 */
export function subset<B extends Batch>(dataset: Dataset<B>, start: number, end: number): Dataset<B>
export function subset<B extends Batch>(dataset: Dataset<B>, indices: ArrayLike<number>): Dataset<B>
export function subset<B extends Batch>(
  dataset: Dataset<B>,
  chosen: number | ArrayLike<number>,
  end = dataset.length,
): Dataset<B> {
  const { length } = dataset
  if (typeof chosen === 'number') {
    const start = chosen
    if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > length || start >= end) {
      throw new LoaderOptionError(
        `subset ${start} … ${end} of ${length} samples: expected 0 <= start < end <= ${length}`,
      )
    }
    return part(dataset, end - start, (index) => start + index)
  }
  const indices = Int32Array.from(chosen)
  const stray = Array.from(chosen).find((index) => !Number.isInteger(index) || index < 0 || index >= length)
  if (stray !== undefined || indices.length === 0) {
    throw new LoaderOptionError(
      indices.length === 0 ? 'subset of no sample' : `subset: there is no sample ${stray}, expected 0 to ${length - 1}`,
    )
  }
  return part(dataset, indices.length, (index) => indices[index])
}

function part<B extends Batch>(dataset: Dataset<B>, length: number, place: (index: number) => number): Dataset<B> {
  return {
    length,
    get: (indices) => dataset.get(indices.map(place)),
    ...(dataset.transform && { transform: dataset.transform }),
  }
}

/**
 * Cuts a data set at random into parts, as `torch.utils.data.random_split` does with the same generator.
 *
 * @param parts how many samples each part has, or its share of all of them: shares that sum up to 1, rounded down, and what is left over
 * one by one from the first part on
 * @throws {@link LoaderOptionError} when the parts are not the whole, or one is empty.
 * @example
 * ```ts
 * const [train, validation] = split(dataset, [0.9, 0.1], new Generator(0))
 * ```
 */
export function split<B extends Batch>(
  dataset: Dataset<B>,
  parts: readonly number[],
  generator: Generator,
): Dataset<B>[] {
  const lengths = partLengths(dataset.length, parts)
  const order = generator.randperm(dataset.length)
  let start = 0
  return lengths.map((length) => {
    start += length
    return subset(dataset, order.subarray(start - length, start))
  })
}

function partLengths(length: number, parts: readonly number[]): number[] {
  const sum = parts.reduce((total, share) => total + share, 0)
  const areShares = Math.abs(sum - 1) < 1e-9 && parts.every((share) => share > 0 && share < 1)
  const lengths = areShares ? parts.map((share) => Math.floor(length * share)) : [...parts]
  const rest = areShares ? length - lengths.reduce((total, count) => total + count, 0) : 0
  for (let k = 0; k < rest; k++) lengths[k % lengths.length] += 1
  if (lengths.every((count) => Number.isInteger(count) && count > 0) && lengths.reduce((a, b) => a + b, 0) === length) {
    return lengths
  }
  throw new LoaderOptionError(
    `split into [${parts}] of ${length} samples: expected counts whose sum is ${length}, or shares whose sum is 1, none of them empty`,
  )
}

/**
 * Data sets one after the other, as `torch.utils.data.ConcatDataset`.
 *
 * @throws {@link DatasetError} when there is none, or their samples differ in shape.
 * @example
 * ```ts
 * const both = concat([train, extra])
 * ```
 */
export function concat<B extends Batch>(datasets: readonly Dataset<B>[]): Dataset<B> {
  if (datasets.length === 0) throw new DatasetError('concat of no data set; give it one or more')
  const starts = [0]
  for (const { length } of datasets) starts.push(starts[starts.length - 1] + length)
  const length = starts[datasets.length]
  const whole = datasets.map((dataset) => dataset.get.bind(dataset))
  const { transform } = datasets[0]
  return {
    length,
    get(indices) {
      const at = Array.from(indices, (index) => starts.findIndex((_, k) => index < starts[k + 1]))
      const parts = whole.map((get, k) => {
        const places = at.flatMap((dataset, row) => (dataset === k ? [row] : []))
        const own = Int32Array.from(places, (row) => indices[row] - starts[k])
        return { places, samples: places.length > 0 ? get(own) : undefined }
      })
      const found = parts.filter(({ places }) => places.length > 0)
      const put = (samples: Samples[]): Samples =>
        interleave(
          indices.length,
          found.map(({ places }) => places),
          samples,
        )
      const all = found.map(({ samples }) => samples as Samples | Promise<Samples>)
      return all.some((samples) => samples instanceof Promise) ? Promise.all(all).then(put) : put(all as Samples[])
    },
    ...(transform && { transform }),
  }
}

/** Puts samples of several data sets into one order. */
function interleave(count: number, places: number[][], parts: Samples[]): Samples {
  const join = (columns: (Column | SequenceColumn)[]): Column | SequenceColumn => {
    const [first] = columns
    if ('sequences' in first) {
      const sequences = new Array(count)
      columns.forEach((column, part) => {
        places[part].forEach((row, k) => {
          sequences[row] = (column as SequenceColumn).sequences[k]
        })
      })
      return { ...first, sequences }
    }
    const shape = first.shape.slice(1)
    const size = shape.reduce((product, length) => product * length, 1)
    const data = new (first.data.constructor as Float32ArrayConstructor)(count * size)
    columns.forEach((column, part) => {
      const { data: own, shape: ownShape } = column as Column
      if (ownShape.slice(1).join() !== shape.join()) {
        throw new DatasetError(
          `concat: a sample of one data set has shape [${shape}], of another [${ownShape.slice(1)}]`,
        )
      }
      places[part].forEach((row, k) => {
        data.set(own.subarray(k * size, (k + 1) * size), row * size)
      })
    })
    return { data, shape: [count, ...shape] }
  }
  const [{ inputs }] = parts
  const joinedInputs: Inputs = isColumn(inputs)
    ? join(parts.map((samples) => samples.inputs as Column))
    : Object.fromEntries(
        Object.keys(inputs).map((name) => [
          name,
          join(parts.map((samples) => (samples.inputs as Record<string, Column>)[name])),
        ]),
      )
  return { inputs: joinedInputs, targets: join(parts.map(({ targets }) => targets)) }
}
