import { hostname } from 'node:os'
import {
  decodeOutcome,
  encodeOutcome,
  isRecord,
  type Job,
  type JobContext,
  MAX_FAILURES,
  MAX_LOSSES,
  type Outcome,
  reasonFrom,
} from '../engine'
import { SweepStoreError } from '../errors'
import { LostError, type Pool, StoppedError } from './pool'

/** Faults of the machine and not of the job: it would fail here whatever it is. */
const MACHINE_CODES: readonly unknown[] = [
  'CHECKPOINT_WRITE',
  'DIRECTORY_IN_USE',
  'WRONG_WORKER',
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
]

/** Whether an error, or what a process has sent of one, is such a fault. */
export function isMachineFault(error: unknown): boolean {
  return MACHINE_CODES.includes((error as { code?: unknown } | null)?.code)
}

/** What an attempt at a job came to. */
export type Attempt =
  | { ended: 'outcome'; outcome: Outcome }
  /** It failed, or its process died; it is to be tried again. */
  | { ended: 'again'; failed: boolean; reason: string }
  /** The signal stopped it. */
  | { ended: 'stopped' }

/** How often a job was begun before. */
export interface Before {
  failures: number
  losses: number
}

/**
 * Tries a job once.
 *
 * @throws {@link SweepStoreError} when the machine cannot do any job, because its disk is full.
 */
export async function attempt(pool: Pool, job: Job, context: JobContext, before: Before): Promise<Attempt> {
  const began = performance.now()
  const [failures, losses] = [before.failures, before.losses]
  const ended = (fields: Pick<Outcome, 'status' | 'value' | 'reason'>): Attempt => {
    const seconds = (performance.now() - began) / 1000
    const facts = { attempts: failures + losses + 1, seconds, worker: workerName() }
    // As it will be read again: what JSON does not hold is not there from the start.
    const text = encodeOutcome({ key: job.key, ...fields, ...facts })
    return { ended: 'outcome', outcome: decodeOutcome(text, `job ${job.key}`) }
  }
  try {
    const value: unknown = await patiently(() => pool.run(job.kind, job.data, context), context.signal)
    if (!isRecord(value)) throw new Error(`it returned ${JSON.stringify(value)}, expected an object`)
    return ended({ status: 'done', value, reason: null })
  } catch (error) {
    if (error instanceof StoppedError) return { ended: 'stopped' }
    const reason = reasonFrom(error)
    if (isMachineFault(error)) {
      throw new SweepStoreError(
        `job ${job.key} cannot be done on this machine: ${reason}; nothing is lost: fix that, and run the same command again`,
        { cause: error },
      )
    }
    const isLost = error instanceof LostError
    const [count, limit] = isLost ? [losses, MAX_LOSSES] : [failures, MAX_FAILURES]
    if (count + 1 < limit) return { ended: 'again', failed: !isLost, reason }
    const times = isLost ? `its process died ${limit} times: it was killed, or ran out of memory` : reason
    return ended({ status: 'failed', value: null, reason: times })
  }
}

/** How often, and how far apart, a directory is tried that another program has: one that was killed may take a moment to be gone. */
const IN_USE_TRIES = 20
const IN_USE_MILLISECONDS = 500

async function patiently(run: () => Promise<object>, signal: AbortSignal): Promise<object> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      const isInUse = (error as { code?: unknown } | null)?.code === 'DIRECTORY_IN_USE'
      if (!isInUse || tries === IN_USE_TRIES || signal.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, IN_USE_MILLISECONDS))
    }
  }
}

/** This machine and process, for people. */
export function workerName(): string {
  return `${hostname()}:${process.pid}`
}
