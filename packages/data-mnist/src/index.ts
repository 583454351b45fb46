// Data sets

// Errors
export { isRowwiseError } from '@rowwise/errors'
// Batches
export { type Batch, DataLoader, type DataLoaderOptions, type DataLoaderState } from './data-loader'
export { type ImageDataset, subset } from './dataset'
export {
  ChecksumError,
  DataNotFoundError,
  DatasetError,
  GzipError,
  IdxError,
  LoaderOptionError,
} from './errors'
// The file format
export { type IdxArray, parseIdx } from './idx'
export { type LoadedMnist, type LoadMnistOptions, loadMnist } from './load-mnist'
export { normalize, type PixelTable, scaleToUnit } from './normalize'
export { VARIANTS, type Variant, type VariantFacts } from './variants'
