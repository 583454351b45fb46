// What bundlers for browsers take in the place of datasets.ts.

export { type ImageDataset, subset } from '../dataset'
export { type IdxArray, parseIdx } from '../idx'
export type { LoadedMnist, LoadMnistOptions } from '../load-mnist'
export { normalize, type PixelTable, scaleToUnit } from '../normalize'
export { VARIANTS, type Variant, type VariantFacts } from '../variants'
export { loadMnist } from './load-mnist'
