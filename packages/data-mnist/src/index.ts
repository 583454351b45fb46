// Data sets
export {
  type ImageArrays,
  type ImageBatch,
  type ImageDataset,
  type ImageSamples,
  imageDataset,
  subset,
} from './dataset'
export { type LoadedMnist, loadMnist } from './load-mnist'
export type { LoadMnistOptions } from './load-options'
export {
  type EMNISTSplit,
  type KnownStatistics,
  type PublishedSet,
  VARIANTS,
  type Variant,
  type VariantFacts,
} from './variants'

// Downloads and their cache
export type { CacheOptions } from './sources/cache'
export { type DataSources, dataSources } from './sources/data-sources'
export type { DownloadOptions, DownloadProgress } from './sources/download'
export { type CachedFile, cleanCache, listCache, type VerifiedFile, verifyCache } from './sources/manage-cache'

// Batches
export { type Batch, DataLoader, type DataLoaderOptions, type DataLoaderState } from '@rowwise/data'
export { normalize, type PixelStatistics, type PixelTable, pixelStatistics, toTensor } from './normalize'

// The file format
export { type IdxArray, parseIdx } from './idx'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export {
  CacheError,
  ChecksumError,
  DataNotFoundError,
  DatasetError,
  DownloadError,
  GzipError,
  IdxError,
  LoaderOptionError,
} from './errors'

// Augmentation
export { compose } from './transforms/compose'
export type { GreyImage, ImageTransform, Interpolation, RandomTransformOptions } from './transforms/image'
export {
  type RandomAffineOptions,
  type RandomRotationOptions,
  randomAffine,
  randomRotation,
} from './transforms/random-affine'
export {
  type RandomCropOptions,
  type RandomErasingOptions,
  type RandomHorizontalFlipOptions,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
} from './transforms/random-cuts'
