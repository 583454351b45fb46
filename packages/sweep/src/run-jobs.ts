import { isRowwiseError } from '@rowwise/errors'
import type { Engine, Job, JobSetOptions, Outcome } from './engine'

/** How {@link runJobs} runs. */
export interface RunJobsOptions extends JobSetOptions {
  /** Where they run. */
  engine: Engine
  /** Told of each outcome, once; awaited. */
  onOutcome?: (outcome: Outcome, done: number) => void | Promise<void>
  /** Stops: jobs under way save and end, and the same call goes on later. */
  signal?: AbortSignal
}

/**
 * Does jobs that do not depend on each other, such as the shards of a large input, each at least once and with exactly one outcome.
 *
 * @returns whether all are done
 * @throws {@link SweepMismatchError} when the engine holds other jobs of this name.
 * @example
 * ```ts
 * const jobs = files.map((file, k) => ({ key: String(k), kind: 'shard' as const, data: { file } }))
 * await runJobs(jobs, { name: 'predict-june', definition: { files }, engine, onOutcome: ({ value }) => rows.push(value) })
 * ```
 */
export async function runJobs(
  jobs: readonly Job[],
  { engine, onOutcome, signal, ...set }: RunJobsOptions,
): Promise<boolean> {
  const open = await engine.open(set)
  const left = new Set(jobs.map(({ key }) => key))
  const total = left.size
  try {
    await open.add(jobs)
    if (left.size === 0) return true
    for await (const outcome of open.outcomes(signal)) {
      if (!left.delete(outcome.key)) continue
      await onOutcome?.(outcome, total - left.size)
      if (left.size === 0) return true
    }
    return false
  } catch (error) {
    if (!signal?.aborted || isRowwiseError(error)) throw error
    return false // it was stopped while a store was asked
  } finally {
    await open.close()
  }
}
