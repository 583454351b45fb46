export { isRowwiseError } from '@rowwise/errors'
export { GeneratorStateError, RandomRangeError, SeedError } from './errors'
export { DEFAULT_SEED, Generator } from './generator'
export { STATE_BYTES } from './state'
