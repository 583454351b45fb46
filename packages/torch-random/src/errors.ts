import { RowwiseError } from '@rowwise/errors'

/** A seed that is not an integer of 64 bits. */
export class SeedError extends RowwiseError {
  readonly code = 'SEED_INVALID'
}

/** A bound, length or count outside of what the draw allows. */
export class RandomRangeError extends RowwiseError {
  readonly code = 'RANDOM_RANGE'
}

/** Bytes that are not the state of a {@link Generator}. */
export class GeneratorStateError extends RowwiseError {
  readonly code = 'GENERATOR_STATE'
}
