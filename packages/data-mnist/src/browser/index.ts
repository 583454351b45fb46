// What bundlers for browsers take instead of index.ts; the cache is the browser's own, so nothing looks after it here.

// Batches
export { type Batch, DataLoader, type DataLoaderOptions, type DataLoaderState } from '@rowwise/data'
// Errors
export { isRowwiseError } from '@rowwise/errors'
// Data sets
export {
  type ImageArrays,
  type ImageBatch,
  type ImageDataset,
  type ImageSamples,
  imageDataset,
  subset,
} from '../dataset'
export {
  ChecksumError,
  DataNotFoundError,
  DatasetError,
  DownloadError,
  GzipError,
  IdxError,
  LoaderOptionError,
} from '../errors'
// The file format
export { type IdxArray, parseIdx } from '../idx'
export type { LoadedMnist } from '../load-mnist'
export type { LoadMnistOptions } from '../load-options'
export { normalize, type PixelStatistics, type PixelTable, pixelStatistics, toTensor } from '../normalize'
export type { DownloadOptions, DownloadProgress } from '../sources/download'
// Augmentation
export { compose } from '../transforms/compose'
export type { GreyImage, ImageTransform, Interpolation, RandomTransformOptions } from '../transforms/image'
export {
  type RandomAffineOptions,
  type RandomRotationOptions,
  randomAffine,
  randomRotation,
} from '../transforms/random-affine'
export {
  type RandomCropOptions,
  type RandomErasingOptions,
  type RandomHorizontalFlipOptions,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
} from '../transforms/random-cuts'
export {
  type EMNISTSplit,
  type KnownStatistics,
  type PublishedSet,
  VARIANTS,
  type Variant,
  type VariantFacts,
} from '../variants'
export { loadMnist } from './load-mnist'
