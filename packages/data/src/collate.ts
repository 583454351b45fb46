import { refuseUnknownOptions } from '@rowwise/errors'
import { filledTensor, hostTensor } from '@rowwise/host-values'
import { dispose, type Tensor } from '@tensorflow/tfjs-core'
import { lookUpRows, WHOLE } from './byte-table'
import {
  type Column,
  copyRows,
  isFloating,
  isSequences,
  requireFit,
  rowShape,
  rowSize,
  type SequenceColumn,
} from './column'
import {
  type Batch,
  countSamples,
  type Dataset,
  gatherSamples,
  isColumn,
  type LocatedSamples,
  type Samples,
} from './dataset'
import { DatasetError, LoaderOptionError } from './errors'
import { requireBytes, type Transform } from './transform'

/** What losses and metrics leave out. */
const DEFAULT_TARGET = -100

/** Makes a batch of tensors of samples. */
export type Collate<B extends Batch = Batch> = (samples: Samples) => B

/** How {@link padSequences} fills sequences up. */
export interface PadOptions {
  /** What inputs are filled up with. @default 0 */
  value?: number
  /**
   * What targets are filled up with.
   *
   * @default -100 for classes, which losses and metrics leave out; none for other numbers, whose losses would count it
   */
  target?: number
}

/**
 * The collation of a loader that is not told otherwise: tensors of arrays, and of sequences tensors that are filled up to the longest one of
 * the batch. Inputs that are sequences become `{ inputs, lengths }`, which a `Sequential` of `@rowwise/models-rnn` takes.
 * If several named inputs are sequences, `lengths` are those of `inputs`, or else by name:
 * `{ premise, hypothesis, lengths: { premise, hypothesis } }`.
 *
 * @throws {@link LoaderOptionError} when a filling is not a number; in an epoch {@link DatasetError} when targets that are no classes would
 * have to be filled up, and nothing says with what.
 * @example
 * ```ts
 * const loader = new DataLoader(dataset, { collate: padSequences({ target: 0 }) })
 * ```
 */
export function padSequences<B extends Batch = Batch>(options: PadOptions = {}): Collate<B> {
  refuseUnknownOptions('padSequences()', options, { value: true, target: true }, LoaderOptionError)
  const { value = 0, target } = options
  for (const filling of [value, target ?? 0]) {
    if (typeof filling !== 'number') throw new LoaderOptionError(`padSequences: ${String(filling)} is not a number`)
  }
  const collate: Collate = ({ inputs, targets }) => {
    const makeTargets = (): Tensor => targetTensor(targets, target)
    if (isColumn(inputs) && !isSequences(inputs)) return batchWith(() => toTensor(inputs), makeTargets)
    const named: Record<string, Column | SequenceColumn> = isColumn(inputs) ? { inputs } : { ...inputs }
    const lengths = lengthsOfAll(named)
    const makers = Object.values(named).map((column) => () => toTensor(column, value))
    const [made, ...tensors] = allOrNone([makeTargets, ...makers])
    const byName = Object.fromEntries(Object.keys(named).map((name, place) => [name, tensors[place]]))
    return { inputs: { ...lengths, ...byName }, targets: made }
  }
  return collate as Collate<B>
}

/**
 * The steps of each sample of a data set of sequences: what {@link bucketSampler} wants to know.
 *
 * @throws {@link DatasetError} when its samples are not sequences.
 * @example
 * ```ts
 * const sampler = bucketSampler({ lengths: await sequenceLengths(train) })
 * ```
 */
export async function sequenceLengths(dataset: Dataset): Promise<Int32Array> {
  const lengths = new Int32Array(dataset.length)
  for (let start = 0; start < dataset.length; start += READ_AT_ONCE) {
    const count = Math.min(READ_AT_ONCE, dataset.length - start)
    const { inputs } = await dataset.get(Int32Array.from({ length: count }, (_, row) => start + row))
    const ragged = isColumn(inputs) ? [inputs].find(isSequences) : Object.values(inputs).find(isSequences)
    if (ragged === undefined)
      throw new DatasetError('sequenceLengths: the samples are not sequences; all are of one length')
    lengths.set(lengthsOf(ragged), start)
  }
  return lengths
}

const READ_AT_ONCE = 1024

/** The steps of each sequence. */
function lengthsOf({ sequences, stepShape }: SequenceColumn): Int32Array {
  const size = stepShape.reduce((product, length) => product * length, 1)
  return Int32Array.from(sequences, ({ length }) => length / size)
}

/**
 * The lengths of inputs that are sequences. With one such input, its lengths; with one called `inputs`, those, which all
 * others must share; else the lengths of each by name.
 */
function lengthsOfAll(named: Record<string, Column | SequenceColumn>): { lengths?: unknown } {
  const ragged = Object.entries(named).filter((entry): entry is [string, SequenceColumn] => isSequences(entry[1]))
  const lengths = Object.fromEntries(ragged.map(([name, column]) => [name, lengthsOf(column)]))
  if (ragged.length === 0) return {}
  if (ragged.length === 1) return { lengths: lengths[ragged[0][0]] }
  const { inputs } = lengths
  if (inputs === undefined) return { lengths }
  for (const [name, others] of Object.entries(lengths)) {
    const row = inputs.findIndex((steps, place) => steps !== others[place])
    if (row < 0) continue
    throw new DatasetError(
      `sample ${row} of a batch has ${inputs[row]} steps of inputs, ${others[row]} of ${name}; give them the same, or call none of them inputs: ` +
        'lengths are by name then',
    )
  }
  return { lengths: inputs }
}

/** Targets, of which only classes are filled up without being told with what. */
function targetTensor(targets: Column | SequenceColumn, filling: number | undefined): Tensor {
  if (filling === undefined && isSequences(targets) && isFloating(targets.sequences[0])) {
    const [first, ...others] = targets.sequences.map(({ length }) => length)
    if (others.some((length) => length !== first)) {
      throw new DatasetError(
        'the targets are sequences of numbers of different lengths, and losses would count what they are filled up with; ' +
          'pass collate: padSequences({ target }) and a loss that leaves it out, or put samples of one length into a batch',
      )
    }
  }
  return toTensor(targets, filling ?? DEFAULT_TARGET)
}

/** A tensor of a column; float32 of floating-point numbers, else int32. */
function toTensor(column: Column | SequenceColumn, filling = 0): Tensor {
  if (isSequences(column)) return padded(column, filling)
  const { data, shape } = column
  if (isFloating(data)) return filledTensor([...shape], (values) => values.set(data))
  return hostTensor(requireFit(data, new Int32Array(data)), [...shape])
}

function padded(column: SequenceColumn, filling: number): Tensor {
  const { sequences, stepShape } = column
  const lengths = lengthsOf(column)
  const time = lengths.reduce((most, length) => Math.max(most, length), 0)
  const size = stepShape.reduce((product, length) => product * length, 1)
  const shape = [sequences.length, time, ...stepShape]
  const fill = (values: Float32Array | Int32Array): void => {
    values.fill(filling)
    sequences.forEach((sequence, row) => {
      values.set(sequence, row * time * size)
    })
  }
  const floating = sequences.filter(isFloating).length
  if (floating > 0 && floating < sequences.length) {
    throw new DatasetError('some sequences are floating-point numbers and others whole ones; convert them to one kind')
  }
  if (floating > 0) return filledTensor(shape, fill)
  if (!Number.isInteger(filling)) throw new DatasetError(`${filling} cannot fill up sequences of integers`)
  const values = new Int32Array(sequences.length * time * size)
  fill(values)
  sequences.forEach((sequence, row) => {
    requireFit(sequence, values.subarray(row * time * size, row * time * size + sequence.length))
  })
  return hostTensor(values, shape)
}

const pad = padSequences()

/** A batch of samples by {@link padSequences}. */
export function batchOf(samples: Samples, transform: Transform | undefined, count: number): Batch {
  return pad(transformed(samples, transform, count))
}

/** A batch of samples that are in memory: one array of each is read where it lies, once. */
export function batchOfLocated(located: LocatedSamples, transform: Transform | undefined): Batch {
  const { samples, indices } = located
  const { inputs, targets } = samples
  if (typeof transform === 'function' || !isColumn(inputs) || isSequences(inputs) || isSequences(targets)) {
    return batchOf(gatherSamples(located), transform, indices.length)
  }
  const targetsOf = (): Tensor => rowsTensor(targets, indices)
  if (transform === undefined) return batchWith(() => rowsTensor(inputs, indices), targetsOf)
  requireBytes(inputs)
  const rows = { bytes: inputs.data as Uint8Array, size: rowSize(inputs) }
  return batchWith(
    () => filledTensor(rowShape(inputs, indices), (values) => lookUpRows(rows, indices, transform, values)),
    targetsOf,
  )
}

function batchWith(makeInputs: () => Tensor, makeTargets: () => Tensor): Batch {
  const [inputs, targets] = allOrNone([makeInputs, makeTargets])
  return { inputs, targets }
}

/** Makes tensors; if one is refused, disposes the others. */
function allOrNone(makers: readonly (() => Tensor)[]): Tensor[] {
  const made: Tensor[] = []
  try {
    for (const make of makers) made.push(make())
    return made
  } catch (error) {
    dispose(made)
    throw error
  }
}

/** A tensor of some samples of a column. */
function rowsTensor(column: Column, indices: Int32Array): Tensor {
  const shape = rowShape(column, indices)
  if (isFloating(column.data)) return filledTensor(shape, (values) => copyRows(column, indices, values))
  const values = new Int32Array(indices.length * rowSize(column))
  copyRows(column, indices, values)
  return hostTensor(requireFit(column.data, values), shape)
}

/**
 * Samples after a transform of their inputs.
 *
 * @param count how many there should be; not looked at where a collation of one's own reads them, which may want others
 * @throws {@link DatasetError} when they are others, as a data set or a transform of one's own may give.
 */
export function transformed(samples: Samples, transform: Transform | undefined, count?: number): Samples {
  if (typeof samples !== 'object' || samples === null)
    throw new DatasetError(`a batch of the data set's get() is ${String(samples)}, expected { inputs, targets }`)
  if (count !== undefined) requireCount("the data set's get()", samples, count)
  const found = applied(samples, transform)
  if (count !== undefined && typeof transform === 'function') requireCount('the transform', found, count)
  return found
}

function requireCount(owner: string, samples: Samples, count: number): void {
  const found = countSamples(`a batch of ${owner}`, samples)
  if (found !== count) throw new DatasetError(`${owner} gave ${found} samples, expected ${count}: one for each index`)
}

function applied(samples: Samples, transform: Transform | undefined): Samples {
  const { inputs } = samples
  if (transform === undefined) return samples
  if (!isColumn(inputs) || isSequences(inputs)) {
    throw new LoaderOptionError(
      'the transform is for one array of inputs, but these are several or sequences; leave it out',
    )
  }
  return { ...samples, inputs: applyTransform(transform, inputs) }
}

/** Inputs after a transform. */
export function applyTransform(transform: Transform, inputs: Column): Column {
  if (typeof transform === 'function') return transform(inputs)
  requireBytes(inputs)
  const data = new Float32Array(inputs.data.length)
  lookUpRows({ bytes: inputs.data as Uint8Array, size: data.length }, WHOLE, transform, data)
  return { data, shape: inputs.shape }
}
