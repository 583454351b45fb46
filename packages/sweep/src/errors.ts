import { RowwiseError } from '@rowwise/errors'

/** A search space, a search or an objective that cannot be. */
export class SweepDefinitionError extends RowwiseError {
  readonly code = 'SWEEP_DEFINITION'
}

/** The place of a sweep holds another one. */
export class SweepMismatchError extends RowwiseError {
  readonly code = 'SWEEP_MISMATCH'
}

/** There is no sweep of that name, or in that directory. */
export class SweepNotFoundError extends RowwiseError {
  readonly code = 'SWEEP_NOT_FOUND'
}

/** Something that is not a job of ours was in a queue, or not an outcome of ours in a store. */
export class JobRefusedError extends RowwiseError {
  readonly code = 'JOB_REFUSED'
}

/** Outcomes or files cannot be kept: a full disk, a directory that cannot be written, files over a limit. */
export class SweepStoreError extends RowwiseError {
  readonly code = 'SWEEP_STORE'
}

/** A job leaves more, or larger, files than are handed on. */
export class FilesTooLargeError extends RowwiseError {
  readonly code = 'FILES_TOO_LARGE'
}

/** Redis cannot be reached, or refuses. */
export class RedisError extends RowwiseError {
  readonly code = 'REDIS'
}
