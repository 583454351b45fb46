import { refuseOptions, requireCallbacks, requireFiles, requireSignal } from '../checks'
import type { Outcome } from '../engine'
import type { Jobs } from '../engines/pool'
import { SweepDefinitionError } from '../errors'
import type { FileStore } from '../files/store'
import { show } from '../space'
import type { RedisConnection } from './connection'

/** What `runWorker` serves, and how. */
export interface WorkerOptions {
  /** Where Redis is. */
  connection: RedisConnection
  /** What does the jobs: chosen here, never by a job. */
  jobs: Jobs
  /** Jobs at once, each in a process. @default 1 */
  workers?: number
  /** A directory for checkpoints and weights that the machines share, or {@link s3Files}. Redis holds them when absent. */
  files?: string | FileStore
  /** After this silence a worker counts as dead, and others do its jobs. @default 15 */
  lostAfterSeconds?: number
  /** End after so long without a job; stays when absent. */
  idleSeconds?: number
  /** Told of each outcome. An error that it throws ends the worker, and is what `runWorker` throws; `onNote`'s, too. */
  onOutcome?: (set: string, outcome: Outcome) => void
  /** Told, in words, what else happens: a job that was refused, a lost connection. */
  onNote?: (note: string) => void
  /** Ends the worker: its jobs save, and go back to the queue. */
  signal?: AbortSignal
}

export const DEFAULT_LOST_SECONDS = 15

/** A timer holds at most 2^31 - 1 ms; one over that would run all the time. */
const MAX_LOST_SECONDS = 2_147_483

/** @throws {@link SweepDefinitionError} that names the option, what was found and what was expected. */
export function checkOptions(options: WorkerOptions): void {
  const owner = 'runWorker()'
  refuseOptions(owner, options, {
    ...{ connection: true, jobs: true, workers: true, files: true, lostAfterSeconds: true, idleSeconds: true },
    ...{ onOutcome: true, onNote: true, signal: true },
  })
  const {
    files,
    lostAfterSeconds: lost = DEFAULT_LOST_SECONDS,
    idleSeconds: idle = 0,
    onOutcome,
    onNote,
    signal,
  } = options
  if (typeof lost !== 'number' || !(lost > 0 && lost <= MAX_LOST_SECONDS)) {
    const expected = `expected a number over 0, and at most ${MAX_LOST_SECONDS}`
    throw new SweepDefinitionError(`${owner}: lostAfterSeconds is ${show(lost)}, ${expected}`)
  }
  if (typeof idle !== 'number' || !(idle >= 0)) {
    throw new SweepDefinitionError(`${owner}: idleSeconds is ${show(idle)}, expected a number of at least 0`)
  }
  requireFiles(owner, files)
  requireCallbacks(owner, { onOutcome, onNote })
  requireSignal(owner, signal)
}
