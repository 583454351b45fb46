import { setMaxListeners } from 'node:events'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkCanSave, writeFileAtomically } from '@rowwise/atomic-file'
import { DirectoryInUseError, DirectoryLock } from '@rowwise/directory-lock'
import { reasonOf } from '@rowwise/errors'
import { refuseOptions, requireBoolean, requirePath } from '../checks'
import {
  decodeOutcome,
  type Engine,
  encodeOutcome,
  isKey,
  type Job,
  type JobSet,
  type JobSetOptions,
  type Outcome,
} from '../engine'
import { JobRefusedError, SweepDefinitionError, SweepMismatchError, SweepStoreError } from '../errors'
import { copyDirectory } from '../files/directory'
import { attempt, type Before } from './attempt'
import { canonicalJson, requireSame } from './definition'
import { type Jobs, type Pool, poolOf } from './pool'
import { DEFINITION, FILES, forgetFailed, keysIn, OUTCOMES } from './stored-outcomes'

/** How {@link localEngine} runs jobs. */
export interface LocalEngineOptions {
  /** Functions, or the address of a module that exports them. */
  jobs: Jobs
  /** Where outcomes, checkpoints and weights stay; made when it is not there. */
  directory: string
  /** Processes. @default 1 */
  workers?: number
  /** Forget which jobs failed, and do them again. @default false */
  retryFailed?: boolean
}

/**
 * Runs jobs on this machine: functions in this process, or a module's in as many processes as there are workers, each with its share of
 * the threads. What is in the directory survives: the same call later goes on where this one ended, also by `kill -9`.
 *
 * A job that is told to stop has 20 s: its process is ended then, and the promise of a function in this process is left behind. One that
 * computes without a pause there cannot be stopped.
 *
 * @throws {@link SweepDefinitionError} for options that cannot be.
 * @example
 * ```ts
 * const engine = localEngine({ jobs: new URL('./trial.js', import.meta.url), directory: 'sweeps/lr', workers: 2 })
 * ```
 */
export function localEngine(input: LocalEngineOptions): Engine {
  const owner = 'localEngine()'
  refuseOptions(owner, input, { jobs: true, directory: true, workers: true, retryFailed: true })
  const { jobs, directory, workers = 1, retryFailed = false } = input
  requirePath(owner, 'directory', directory)
  requireBoolean(owner, 'retryFailed', retryFailed)
  const pool = poolOf(jobs, workers)
  return { open: (options) => LocalJobs.open(options, { pool, directory, workers, retryFailed }) }
}

interface Place {
  pool: Pool
  directory: string
  workers: number
  retryFailed: boolean
}

class LocalJobs implements JobSet {
  private readonly waiting: Job[] = []
  private readonly known = new Set<string>()
  private readonly come: Outcome[] = []
  private readonly stop = new AbortController()
  private readonly running = new Set<Promise<void>>()
  private readonly before = new Map<string, Before>()
  private fault: unknown = null
  private wake: () => void = () => {}

  private constructor(
    private readonly place: Place,
    private readonly shared: string,
    private readonly lock: DirectoryLock,
    private readonly earlier: readonly string[],
  ) {
    for (const key of earlier) this.known.add(key)
    setMaxListeners(0, this.stop.signal) // one of each worker
  }

  static async open({ definition, shared = '' }: JobSetOptions, place: Place): Promise<LocalJobs> {
    const { directory } = place
    const lock = await takeDirectory(directory)
    try {
      const [file, text] = [join(directory, DEFINITION), canonicalJson(definition)]
      const before = await readFile(file, 'utf8').catch(() => null)
      if (before !== null) requireSame(directory, before, text)
      else await requireEmpty(directory)
      for (const name of [OUTCOMES, FILES]) await mkdir(join(directory, name), { recursive: true })
      for (const name of await readdir(join(directory, FILES))) {
        // Copies that a program did not live to finish.
        if (name.endsWith('.tmp')) await rm(join(directory, FILES, name), { recursive: true, force: true })
      }
      if (before === null) await writeFileAtomically(file, text)
      if (place.retryFailed) await forgetFailed(directory)
      return new LocalJobs(place, shared, lock, await keysIn(join(directory, OUTCOMES)))
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  async add(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      if (!isKey(job.key))
        throw new JobRefusedError(`a job is called ${JSON.stringify(job.key)}, expected letters, digits and @._-`)
      if (this.known.has(job.key)) continue
      this.known.add(job.key)
      this.waiting.push(job)
    }
    this.startJobs()
  }

  async *outcomes(signal?: AbortSignal): AsyncGenerator<Outcome> {
    const end = (): void => {
      this.stop.abort()
      this.wake()
    }
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
    try {
      for (const key of this.earlier) yield await this.read(key)
      while (true) {
        if (this.fault) throw this.fault
        const outcome = this.come.shift()
        if (outcome) yield outcome
        else if (this.stop.signal.aborted && this.running.size === 0) return
        else
          await new Promise<void>((resolve) => {
            this.wake = resolve
          })
      }
    } finally {
      signal?.removeEventListener('abort', end)
    }
  }

  fetch(key: string, directory: string): Promise<boolean> {
    return copyDirectory(this.filesOf(key), directory)
  }

  async discard(key: string): Promise<void> {
    await rm(this.filesOf(key), { recursive: true, force: true })
  }

  async close(): Promise<void> {
    this.stop.abort()
    await Promise.all(this.running)
    await this.place.pool.close()
    await this.lock.release()
  }

  private startJobs(): void {
    while (this.running.size < this.place.workers && !this.stop.signal.aborted) {
      const job = this.waiting.shift()
      if (!job) return
      const work = this.work(job)
        .catch((error) => {
          this.fault ??= error
          this.stop.abort()
        })
        .finally(() => {
          this.running.delete(work)
          this.startJobs()
          this.wake()
        })
      this.running.add(work)
    }
  }

  private async work(job: Job): Promise<void> {
    const directory = this.filesOf(job.key)
    if (job.after !== undefined) await copyDirectory(this.filesOf(job.after), directory)
    await mkdir(directory, { recursive: true })
    const before = this.before.get(job.key) ?? { failures: 0, losses: 0 }
    const { signal } = this.stop
    const found = await attempt(this.place.pool, job, { directory, shared: this.shared, signal }, before)
    if (found.ended === 'stopped') return
    if (found.ended === 'outcome') {
      await this.save(found.outcome)
      this.come.push(found.outcome)
      return
    }
    before[found.failed ? 'failures' : 'losses'] += 1
    this.before.set(job.key, before)
    this.waiting.unshift(job)
  }

  private async save(outcome: Outcome): Promise<void> {
    const file = join(this.place.directory, OUTCOMES, `${outcome.key}.json`)
    await writeFileAtomically(file, encodeOutcome(outcome)).catch((cause) => {
      throw new SweepStoreError(
        `the outcome of job ${outcome.key} cannot be saved: ${reasonOf(cause)}; fix that, and run the same command again`,
        { cause },
      )
    })
  }

  private async read(key: string): Promise<Outcome> {
    const file = join(this.place.directory, OUTCOMES, `${key}.json`)
    return decodeOutcome(await readFile(file, 'utf8'), file)
  }

  private filesOf(key: string): string {
    if (!isKey(key)) throw new JobRefusedError(`a job is called ${JSON.stringify(key)}, which is no name`)
    return join(this.place.directory, FILES, key)
  }
}

/** What a lock and an attempt to save leave. */
const OURS = /^lock-\d+\.json$|\.tmp$/

async function requireEmpty(directory: string): Promise<void> {
  const other = (await readdir(directory)).find((name) => !OURS.test(name))
  if (other === undefined) return
  throw new SweepMismatchError(`${directory} holds other files, such as ${other}; choose another directory`)
}

async function takeDirectory(directory: string): Promise<DirectoryLock> {
  try {
    await checkCanSave(directory)
    return await DirectoryLock.require(directory)
  } catch (cause) {
    if (cause instanceof DirectoryInUseError) throw cause
    throw new SweepDefinitionError(
      `${directory} cannot be written: ${reasonOf(cause)}; choose another directory, or make it writable`,
      { cause },
    )
  }
}
