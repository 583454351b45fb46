// Data sets
export { type ImageDataset, subset } from './dataset'
export { type LoadedMnist, type LoadMnistOptions, loadMnist } from './load-mnist'
export { VARIANTS, type Variant, type VariantFacts } from './variants'

// Batches
export { type Batch, DataLoader, type DataLoaderOptions, type DataLoaderState } from './data-loader'
export { normalize, type PixelTable, scaleToUnit } from './normalize'

// The file format
export { type IdxArray, parseIdx } from './idx'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export {
  ChecksumError,
  DataNotFoundError,
  DatasetError,
  GzipError,
  IdxError,
  LoaderOptionError,
} from './errors'
