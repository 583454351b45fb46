import { isRowwiseError, RowwiseError, reasonOf } from '@rowwise/errors'
import { inOptions } from './show/in-options'

/** The exit code of wrong input: an unknown option, a bad value, a file that is not there or not what it should be. */
export const USAGE_ERROR = 2

/** The exit code of what should not happen. */
export const FAILURE = 1

/** Input that a command refuses. */
export class UsageError extends RowwiseError {
  readonly code = 'USAGE'
}

/** A worker was started for other jobs than those of its queue: they are for another, and none of them has failed. */
export class WrongWorkerError extends RowwiseError {
  readonly code = 'WRONG_WORKER'
}

/** Errors whose input was right: the training diverged, or a disk was full. */
const NOT_INPUT: readonly string[] = ['NOT_FINITE', 'CHECKPOINT_WRITE', 'DOWNLOAD_FAILED', 'SWEEP_STORE']

/** What a system says of a disk that is full or broken. */
const OF_THE_DISK: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EIO']

/** Errors that name what the user can fix are wrong input; everything else is a failure, also a full disk. */
export function exitCodeOf(error: unknown): number {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (OF_THE_DISK.includes((cause as NodeJS.ErrnoException).code)) return FAILURE
  return isRowwiseError(error) && !NOT_INPUT.includes(error.code) ? USAGE_ERROR : FAILURE
}

/** Whether a command ended because the user told it to, which needs no words. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** One line for what the user can fix; the whole stack for our own faults, when asked for by ROWWISE_DEBUG. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (process.env.ROWWISE_DEBUG) return error.stack ?? error.message
  const message = error instanceof UsageError ? error.message : inOptions(error.message)
  if (isRowwiseError(error)) return message.replaceAll(/\s*\n\s*/g, ' ')
  return `${reasonOf(error).split('\n')[0]} (set ROWWISE_DEBUG=1 for the stack)`
}
