import { constants } from 'node:os'
import { RowwiseError } from '@rowwise/errors'

/** Input that the benchmark refuses. */
export class UsageError extends RowwiseError {
  readonly code = 'USAGE'
}

/** The exit code of wrong input. */
export const USAGE_ERROR = 2

/** The exit code when a file could not be written, or nothing could be measured. */
export const FAILURE = 1

/** The exit code of `--compare` when something became slower. */
export const SLOWER = 1

/** Signals that end a run after the step under way. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** 128 + the signal's number, as shells report it. */
export const exitCodeOf = (signal: (typeof STOP_SIGNALS)[number]): number => 128 + constants.signals[signal]
