// What this package has without TensorFlow.js: data sets as typed arrays, and what becomes of their pixels.

export {
  type ImageArrays,
  type ImageBatch,
  type ImageDataset,
  type ImageSamples,
  imageDataset,
  subset,
} from './dataset'
export { type IdxArray, parseIdx } from './idx'
export { type LoadedMnist, loadMnist } from './load-mnist'
export type { LoadMnistOptions } from './load-options'
export { normalize, type PixelStatistics, type PixelTable, pixelStatistics, toTensor } from './normalize'
// Downloads and their cache
export type { CacheOptions } from './sources/cache'
export { type DataSources, dataSources } from './sources/data-sources'
export type { DownloadOptions, DownloadProgress } from './sources/download'
export { type CachedFile, cleanCache, listCache, type VerifiedFile, verifyCache } from './sources/manage-cache'
export {
  type EMNISTSplit,
  type KnownStatistics,
  type PublishedSet,
  VARIANTS,
  type Variant,
  type VariantFacts,
} from './variants'
