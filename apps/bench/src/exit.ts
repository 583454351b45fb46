import { RowwiseError } from '@rowwise/errors'

/** Input that the benchmark refuses. */
export class UsageError extends RowwiseError {
  readonly code = 'USAGE'
}

/** The exit code of wrong input. */
export const USAGE_ERROR = 2

/** The exit code of `--compare` when something became slower. */
export const SLOWER = 1

/** The exit code after Ctrl-C. */
export const INTERRUPTED = 130
