// What bundlers for browsers take instead of datasets.ts.

export { type ImageDataset, subset } from '../dataset'
export { type IdxArray, parseIdx } from '../idx'
export type { LoadedMnist } from '../load-mnist'
export type { LoadMnistOptions } from '../load-options'
export { normalize, type PixelStatistics, type PixelTable, pixelStatistics, toTensor } from '../normalize'
export {
  type EMNISTSplit,
  type KnownStatistics,
  type PublishedSet,
  VARIANTS,
  type Variant,
  type VariantFacts,
} from '../variants'
export { loadMnist } from './load-mnist'
