// Keras in
export { type FromKerasOptions, fromKeras, kerasMetadata } from './read/from-keras'
export type { LayersArtifacts, WeightSpec } from './read/source'

// Keras out
export type { WriteOptions } from './write/options'
export { toKeras } from './write/to-keras'
export { type LayersLoader, toLayersArtifacts, toLayersModel, type WrittenArtifacts } from './write/to-layers-model'

// Errors
export { isRowwiseError } from '@rowwise/errors'
export { KerasError, KerasUnsupportedError } from './errors'
