import type { Generator } from '@rowwise/torch-random'
import { type Column, isFloating, isSequences, type NumberArray, type SequenceColumn } from './column'
import { type Batch, type Dataset, type Inputs, isColumn, type LocatedSamples, type Samples } from './dataset'
import { DatasetError, LoaderOptionError } from './errors'
import type { Transform } from './transform'

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
  return new Part(dataset, length, place)
}

/** `locate` is no field, so `{ ...part, get }` has none: it would lead past that `get`. */
class Part<B extends Batch> implements Dataset<B> {
  declare readonly transform?: Transform
  readonly get: (indices: Int32Array) => Samples | Promise<Samples>
  readonly #locate: (indices: Int32Array) => LocatedSamples | undefined

  constructor(
    whole: Dataset<B>,
    readonly length: number,
    place: (index: number) => number,
  ) {
    this.get = (indices) => whole.get(indices.map(place))
    this.#locate = (indices) => whole.locate?.(indices.map(place))
    if (whole.transform) this.transform = whole.transform
  }

  locate(indices: Int32Array): LocatedSamples | undefined {
    return this.#locate(indices)
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
  if (typeof generator?.randperm !== 'function') {
    throw new LoaderOptionError(`split without a generator; pass one, such as new Generator(0)`)
  }
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
  const areShares = Math.abs(sum - 1) < 1e-9 && parts.every((share) => share > 0)
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
 * @throws {@link DatasetError} when there is none; in a batch, when their samples differ in shape, or in kind: sequences and arrays, or
 * floating-point and whole numbers.
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

/** Refuses columns that no batch can hold together. */
function requireAlike(name: string, columns: readonly (Column | SequenceColumn | undefined)[]): void {
  const [first, ...others] = columns.map((column) => {
    if (column === undefined) return 'not there'
    return isSequences(column) ? `sequences of [${column.stepShape}]` : `numbers of [${column.shape.slice(1)}]`
  })
  const other = others.find((found) => found !== first)
  if (other !== undefined) throw new DatasetError(`concat: ${name} of one data set are ${first}, of another ${other}`)
}

/** An array for numbers of all these: of their own kind, or of int32 for different whole numbers that it holds. */
function arrayFor(name: string, arrays: readonly NumberArray[], length: number): NumberArray {
  const kinds = [...new Set(arrays.map((array) => array.constructor as Int32ArrayConstructor))]
  if (kinds.length === 1) return new kinds[0](length)
  if (arrays.every((array) => !isFloating(array) && !(array instanceof Uint32Array))) return new Int32Array(length)
  if (arrays.every(isFloating)) return new Float64Array(length)
  throw new DatasetError(
    `concat: ${name} of the data sets are ${kinds.map((kind) => kind.name).join(' and ')}; convert them to one kind`,
  )
}

/** Puts samples of several data sets into one order. */
function interleave(count: number, places: number[][], parts: Samples[]): Samples {
  const join = (name: string, columns: (Column | SequenceColumn)[]): Column | SequenceColumn => {
    requireAlike(name, columns)
    const [first] = columns
    if (isSequences(first)) {
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
    const arrays = columns.map((column) => (column as Column).data)
    const data = arrayFor(name, arrays, count * size)
    arrays.forEach((own, part) => {
      places[part].forEach((row, k) => {
        data.set(own.subarray(k * size, (k + 1) * size), row * size)
      })
    })
    return { data, shape: [count, ...shape] }
  }
  const [{ inputs }] = parts
  const joinedInputs: Inputs = isColumn(inputs)
    ? join(
        'inputs',
        parts.map((samples) => (isColumn(samples.inputs) ? samples.inputs : undefined) as Column),
      )
    : Object.fromEntries(
        Object.keys(inputs).map((name) => [
          name,
          join(
            `inputs.${name}`,
            parts.map((samples) => (samples.inputs as Record<string, Column>)[name]),
          ),
        ]),
      )
  return {
    inputs: joinedInputs,
    targets: join(
      'targets',
      parts.map(({ targets }) => targets),
    ),
  }
}
