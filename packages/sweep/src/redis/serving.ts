import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Job as BullJob, UnrecoverableError, WaitingError } from 'bullmq'
import type { Redis } from 'ioredis'
import { encodeOutcome, type Outcome, reasonFrom } from '../engine'
import { attempt, isMachineFault } from '../engines/attempt'
import type { Pool } from '../engines/pool'
import { FilesTooLargeError, JobRefusedError, SweepStoreError } from '../errors'
import { isThere } from '../files/directory'
import type { FileStore } from '../files/store'
import { restoreFrom } from './files'
import { checkQueuedJob, type QueuedJob } from './job-data'
import { keysOf } from './names'
import type { WorkerOptions } from './worker-options'

const RETRY_MILLISECONDS = 1000
const NOTE_MILLISECONDS = 10_000
const IDLE_CHECK_MILLISECONDS = 250

/** The job itself failed, and is to be tried again. */
class FailedError extends Error {}

/** Does the jobs that BullMQ hands to a worker, until it is to end. */
export class Serving {
  fault: unknown = null
  private readonly stop = new AbortController()
  private active = 0
  private onIdle: () => void = () => {}
  private lastActive = performance.now()
  /** Processes that died over a job here; those of other machines are stalls, which BullMQ counts. */
  private readonly deaths = new Map<string, number>()
  private lastNote = { text: '', at: 0 }

  constructor(
    private readonly client: Redis,
    private readonly pool: Pool,
    private readonly scratch: string,
    private readonly files: FileStore,
    private readonly options: WorkerOptions,
  ) {}

  /** Says something, but not the same again and again. */
  note(text: string): void {
    const now = performance.now()
    if (text === this.lastNote.text && now - this.lastNote.at < NOTE_MILLISECONDS) return
    this.lastNote = { text, at: now }
    this.say(text)
  }

  /** Says something. */
  say(text: string): void {
    this.tell(() => this.options.onNote?.(text))
  }

  /** Calls back; an error of the caller's own ends the worker; neither a job nor Redis is at fault. */
  private tell(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.end(error)
    }
  }

  /** Ends all: this machine cannot do jobs, or a callback threw. */
  end(fault: unknown): void {
    this.fault ??= fault
    this.stop.abort()
  }

  /** Resolves when the worker is to end: by the signal, a fault, or for want of jobs. */
  async ended(signal: AbortSignal | undefined): Promise<void> {
    const end = (): void => this.stop.abort()
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
    const { idleSeconds = Number.POSITIVE_INFINITY } = this.options
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const idle = (performance.now() - this.lastActive) / 1000
        if (this.active === 0 && idle >= idleSeconds) this.stop.abort()
      }, IDLE_CHECK_MILLISECONDS)
      const finish = (): void => {
        clearInterval(timer)
        resolve() // at once, so that no job is taken that was given back
      }
      if (this.stop.signal.aborted) finish()
      else this.stop.signal.addEventListener('abort', finish)
    })
    signal?.removeEventListener('abort', end)
  }

  /** Resolves when no job is under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.onIdle = resolve
      if (this.active === 0) resolve()
    })
  }

  async process(bullJob: BullJob, token: string | undefined): Promise<object> {
    this.active += 1
    try {
      return await this.serve(bullJob, token)
    } finally {
      this.active -= 1
      this.lastActive = performance.now()
      if (this.active === 0) this.onIdle()
    }
  }

  private async serve(bullJob: BullJob, token: string | undefined): Promise<object> {
    const job = this.accept(bullJob)
    const id = String(bullJob.id)
    let directory = ''
    try {
      if (await this.client.hexists(keysOf(job.set).outcomes, job.key)) return {} // done; who did it died before saying so
      directory = await mkdtemp(join(this.scratch, 'job-'))
      const shared = await this.sharedOf(job.set)
      if (job.after !== undefined) await this.files.restore(job.set, job.after, directory)
      const before = {
        failures: bullJob.attemptsMade,
        losses: (bullJob.stalledCounter ?? 0) + (this.deaths.get(id) ?? 0),
      }
      const found = await attempt(this.pool, job, { directory, shared, signal: this.stop.signal }, before)
      if (found.ended === 'outcome') {
        await this.commit(job, found.outcome, directory)
        return {}
      }
      if (found.ended === 'again' && found.failed) throw new FailedError(found.reason)
      if (found.ended === 'again') this.deaths.set(id, (this.deaths.get(id) ?? 0) + 1)
    } catch (error) {
      if (error instanceof FailedError || error instanceof JobRefusedError) throw error
      await this.onFault(error)
    } finally {
      if (directory !== '') await rm(directory, { recursive: true, force: true })
    }
    await bullJob.moveToWait(token)
    throw new WaitingError()
  }

  /** What no job is at fault for: what is wrong with this machine, which ends the worker, or with Redis, which may pass. */
  private async onFault(error: unknown): Promise<void> {
    const isOfFiles = typeof (error as NodeJS.ErrnoException).path === 'string'
    if (error instanceof SweepStoreError || isOfFiles || isMachineFault(error)) {
      const reason = `this machine cannot do jobs: ${reasonFrom(error)}; fix that, and start the worker again`
      this.end(error instanceof SweepStoreError ? error : new SweepStoreError(reason, { cause: error }))
      return
    }
    if (this.stop.signal.aborted) return
    this.note(`Redis refuses: ${reasonFrom(error)}; trying again`)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS))
  }

  private accept({ id, name, data }: BullJob): QueuedJob {
    try {
      return checkQueuedJob(id, name, data)
    } catch (error) {
      if (!(error instanceof JobRefusedError)) throw error
      this.say(error.message)
      throw new UnrecoverableError(error.message)
    }
  }

  /** The files that all jobs of a set share, fetched once. */
  private async sharedOf(set: string): Promise<string> {
    const directory = join(this.scratch, `shared-${set}`)
    if (await isThere(directory)) return directory
    const incoming = await mkdtemp(join(this.scratch, 'incoming-'))
    await restoreFrom(this.client, keysOf(set).shared, incoming)
    await rename(incoming, directory).catch(() => {}) // another job was faster
    return directory
  }

  /** Writes the outcome, unless another worker was faster: what the job leaves first, so that it is there for those that go on. */
  private async commit(job: QueuedJob, outcome: Outcome, directory: string): Promise<void> {
    let said = outcome
    if (outcome.status === 'done') {
      await this.files.save(job.set, job.key, directory).catch((error) => {
        if (!(error instanceof FilesTooLargeError || error instanceof JobRefusedError)) throw error
        said = { ...outcome, status: 'failed', value: null, reason: error.message }
      })
    }
    const text = encodeOutcome(said)
    const isFirst = await this.persistently(() => this.client.hsetnx(keysOf(job.set).outcomes, job.key, text))
    if (isFirst) this.tell(() => this.options.onOutcome?.(job.set, said))
  }

  /** Tries again while Redis refuses writes: it is full, or read-only after a failover. */
  private async persistently<T>(command: () => Promise<T>): Promise<T> {
    while (true) {
      try {
        return await command()
      } catch (error) {
        if (this.stop.signal.aborted) throw error
        this.note(`Redis refuses: ${reasonFrom(error)}; trying again`)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS))
      }
    }
  }
}
