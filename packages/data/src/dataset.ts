import type { Tensor } from '@tensorflow/tfjs-core'
import { type Column, gather, type SequenceColumn, samplesOf } from './column'
import { DatasetError } from './errors'
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

/** Some of the samples that are in memory. */
export interface LocatedSamples {
  /** All samples. */
  readonly samples: Samples
  /** Which of them, in this order. */
  readonly indices: Int32Array
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
  /**
   * Where these samples lie, for a data set whose samples are all in memory: a loader then makes tensors of them with no
   * copy in between. Undefined where only `get` knows.
   */
  locate?(indices: Int32Array): LocatedSamples | undefined
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
    this.length = countSamples('new TensorDataset()', samples)
    if (this.length === 0) throw new DatasetError('the data set has no sample; give it data')
    this.samples = samples
  }

  /** Gathers samples. */
  get(indices: Int32Array): Samples {
    return gatherSamples({ samples: this.samples, indices })
  }

  /** Where samples lie; undefined in a class whose `get` is another. */
  locate(indices: Int32Array): LocatedSamples | undefined {
    return this.get === TensorDataset.prototype.get ? { samples: this.samples, indices } : undefined
  }
}

/** A copy of some samples. */
export function gatherSamples({ samples: { inputs, targets }, indices }: LocatedSamples): Samples {
  return { inputs: mapInputs(inputs, (column) => gather(column, indices)), targets: gather(targets, indices) }
}

/**
 * How many samples there are.
 *
 * @param owner who got or gave them
 * @throws {@link DatasetError} when `samples` is not an object, data and shape do not fit, or the lengths differ.
 */
export function countSamples(owner: string, samples: Samples): number {
  if (typeof samples !== 'object' || samples === null) {
    throw new DatasetError(`${owner} got ${String(samples)}, expected { inputs, targets }`)
  }
  const counts = { ...namedCounts(samples.inputs), targets: samplesOf('targets', samples.targets) }
  const [first, ...rest] = Object.entries(counts)
  const other = rest.find(([, count]) => count !== first[1])
  if (other === undefined) return first[1]
  throw new DatasetError(`${first[0]} has ${first[1]} samples, ${other[0]} ${other[1]}; each needs one of both`)
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
