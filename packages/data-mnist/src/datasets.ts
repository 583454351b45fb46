// What this package has without TensorFlow.js: data sets as typed arrays, and what becomes of their pixels.

export { type ImageDataset, subset } from './dataset'
export { type IdxArray, parseIdx } from './idx'
export { type LoadedMnist, type LoadMnistOptions, loadMnist } from './load-mnist'
export { normalize, type PixelTable, scaleToUnit } from './normalize'
export { VARIANTS, type Variant, type VariantFacts } from './variants'
