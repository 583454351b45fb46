// What this package has without TensorFlow.js: data sets as typed arrays, and what becomes of their pixels.

export { type ImageDataset, subset } from './dataset'
export { type IdxArray, parseIdx } from './idx'
export { type LoadedMnist, type LoadMnistOptions, loadMnist } from './load-mnist'
export { normalize, type PixelTable, scaleToUnit } from './normalize'
// Downloads and their cache
export {
  type CachedFile,
  type CacheOptions,
  cleanCache,
  listCache,
  type VerifiedFile,
  verifyCache,
} from './sources/cache'
export type { DownloadOptions, DownloadProgress } from './sources/download'
export { VARIANTS, type Variant, type VariantFacts } from './variants'
