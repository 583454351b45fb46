// Data sets
export {
  type Batch,
  type BatchOf,
  type Dataset,
  type Inputs,
  type LocatedSamples,
  type PaddedSequences,
  type Samples,
  type SequenceBatch,
  type TensorBatch,
  TensorDataset,
} from './dataset'
export { concat, split, subset } from './combine'
export type { Column, NumberArray, SequenceColumn } from './column'

// Batches
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from './data-loader'
export { type Collate, type PadOptions, padSequences, sequenceLengths } from './collate'
export {
  type BucketSamplerOptions,
  bucketSampler,
  randomSampler,
  type Sampler,
  sequentialSampler,
  type WeightedSamplerOptions,
  weightedSampler,
} from './sampling/samplers'
export type { ByteTable, Transform } from './transform'

// Sources
export type { Table } from './sources/table'
export {
  columnScales,
  type Scale,
  type WindowBatch,
  type WindowDataset,
  type WindowOptions,
  windows,
} from './sources/windows'
export { parseNpy, readNpy } from './sources/npy'
export { characters, type TextBatch, type TextDatasetOptions, textDataset, type Vocabulary } from './sources/text'
export type { ByteSource } from './sources/bytes'
export type { ReadOptions, ReadProgress } from './sources/progress'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { DataNotFoundError, DatasetError, LoaderOptionError, NpyError } from './errors'
