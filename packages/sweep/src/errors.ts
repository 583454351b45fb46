import { RowwiseError } from '@rowwise/errors'

/** A search space, a search or an objective that cannot be. */
export class SweepDefinitionError extends RowwiseError {
  readonly code = 'SWEEP_DEFINITION'
}

/** The place of a sweep holds another one. */
export class SweepMismatchError extends RowwiseError {
  readonly code = 'SWEEP_MISMATCH'
}

/** Something that is not a job of ours was in a queue, or not an outcome of ours in a store. */
export class JobRefusedError extends RowwiseError {
  readonly code = 'JOB_REFUSED'
}

/** Outcomes or files cannot be kept: a full disk, a directory that cannot be written, files over a limit. */
export class SweepStoreError extends RowwiseError {
  readonly code = 'SWEEP_STORE'
}

/** Redis cannot be reached, or refuses. */
export class RedisError extends RowwiseError {
  readonly code = 'REDIS'
}
