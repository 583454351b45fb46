import { isRowwiseError } from '@rowwise/errors'
import { refuseOptions, requireCallbacks, requireEngine, requirePath, requireSignal } from './checks'
import {
  type Engine,
  isKey,
  isRecord,
  isSetName,
  JOB_KINDS,
  type Job,
  type JobSetOptions,
  type Outcome,
} from './engine'
import { JobRefusedError, SweepDefinitionError } from './errors'
import { show } from './space'

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
 * @throws {@link SweepMismatchError} when the engine holds other jobs of this name, {@link SweepDefinitionError} for options that cannot
 * be, {@link JobRefusedError} for jobs.
 * @example
 * ```ts
 * const jobs = files.map((file, k) => ({ key: String(k), kind: 'shard' as const, data: { file } }))
 * await runJobs(jobs, { name: 'predict-june', definition: { files }, engine, onOutcome: ({ value }) => rows.push(value) })
 * ```
 */
export async function runJobs(jobs: readonly Job[], input: RunJobsOptions): Promise<boolean> {
  checkOptions(input)
  checkJobs(jobs)
  const { engine, onOutcome, signal, ...set } = input
  const open = await engine.open(set)
  const left = new Set(jobs.map(({ key }) => key))
  const total = left.size
  const outcomes = open.outcomes(signal) // before jobs are added: the signal holds from here on
  try {
    await open.add(jobs)
    if (left.size === 0) return true
    for await (const outcome of outcomes) {
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

function checkOptions(input: RunJobsOptions): void {
  const owner = 'runJobs()'
  const set = { name: true, definition: true, shared: true } as const
  refuseOptions(owner, input, { ...set, engine: true, onOutcome: true, signal: true })
  const { name, definition, shared, engine, onOutcome, signal } = input
  if (!isSetName(name)) {
    const expected = "expected up to 64 letters, digits, '.', '_' and '-', such as predict-june"
    throw new SweepDefinitionError(`${owner}: name is ${show(name)}, ${expected}`)
  }
  if (typeof definition !== 'object' || definition === null) {
    throw new SweepDefinitionError(
      `${owner}: definition is ${show(definition)}, expected an object with what decides the outcomes`,
    )
  }
  if (shared !== undefined) requirePath(owner, 'shared', shared)
  requireEngine(owner, engine)
  requireCallbacks(owner, { onOutcome })
  requireSignal(owner, signal)
}

function checkJobs(jobs: unknown): void {
  if (!Array.isArray(jobs)) throw new JobRefusedError(`the jobs are ${show(jobs)}, expected an array`)
  for (const [k, job] of jobs.entries()) {
    const { key, kind, data } = (job ?? {}) as Partial<Job>
    if (isKey(key) && kind !== undefined && JOB_KINDS.includes(kind) && isRecord(data)) continue
    throw new JobRefusedError(
      `job ${k} is ${show(job)}, expected { key, kind, data }: a key of letters, digits and @._-, the kind ` +
        `${JOB_KINDS.join(' or ')}, and data that are an object`,
    )
  }
}
