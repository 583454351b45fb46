import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Job as BullJob, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { encodeOutcome, MAX_LOSSES, type Outcome, reasonFrom } from '../engine'
import { attempt, isMachineFault } from '../engines/attempt'
import { type Jobs, type Pool, poolOf } from '../engines/pool'
import { FilesTooLargeError, JobRefusedError, SweepDefinitionError, SweepStoreError } from '../errors'
import { isThere } from '../files/directory'
import type { FileStore } from '../files/store'
import { connect, type RedisConnection } from './connection'
import { restoreFrom, storeOf } from './files'
import { checkQueuedJob, type QueuedJob } from './job-data'
import { keysOf, QUEUE } from './names'

/** What {@link runWorker} serves, and how. */
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
  /** Told of each outcome. */
  onOutcome?: (set: string, outcome: Outcome) => void
  /** Told, in words, what else happens: a job that was refused, a lost connection. */
  onNote?: (note: string) => void
  /** Ends the worker: its jobs save, and go back to the queue. */
  signal?: AbortSignal
}

const DEFAULT_LOST_SECONDS = 15
const RETRY_MILLISECONDS = 1000
const NOTE_MILLISECONDS = 10_000
const IDLE_CHECK_MILLISECONDS = 250

/** A connection that is down at so many checks in a row does not come back soon. */
const GONE_CHECKS = 12

/**
 * Does the jobs of a queue until the signal ends it. A job that it was doing when it died is done by another worker.
 *
 * @throws {@link RedisError} when Redis cannot be reached, {@link SweepStoreError} when this machine cannot save, because its disk is
 * full: its jobs go back to the queue first.
 * @example
 * ```ts
 * await runWorker({ connection: 'redis://localhost:6379', jobs: new URL('./trial.js', import.meta.url) })
 * ```
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { connection, jobs, workers = 1, files, signal, onNote = () => {} } = options
  const pool = poolOf(jobs, workers)
  const seconds = options.lostAfterSeconds ?? DEFAULT_LOST_SECONDS
  if (!(seconds > 0)) throw new SweepDefinitionError(`lostAfterSeconds is ${seconds}, expected a number over 0`)
  const scratch = await mkdtemp(join(tmpdir(), 'rowwise-worker-')).catch((cause) => {
    throw new SweepStoreError(`${tmpdir()} cannot be written: ${reasonFrom(cause)}; set TMPDIR to a place that can`, {
      cause,
    })
  })
  const { client, disconnect } = await connect(connection).catch(async (error) => {
    await rm(scratch, { recursive: true, force: true })
    throw error
  })
  const serving = new Serving(client, pool, scratch, storeOf(files, client), options)
  const milliseconds = 1000 * seconds
  const worker = new Worker(QUEUE, (job, token) => serving.process(job, token), {
    connection: client as never,
    concurrency: workers,
    lockDuration: milliseconds,
    stalledInterval: milliseconds / 2,
    maxStalledCount: MAX_LOSSES - 1,
    autorun: false,
  })
  let isGone = false
  worker.on('error', (error) => {
    if (client.status === 'ready') serving.note(reasonFrom(error))
    else if (!isGone) onNote(`Redis is gone (${reasonFrom(error)}); waiting for it`)
    isGone = client.status !== 'ready'
  })
  client.on('ready', () => {
    if (isGone) onNote('Redis is back')
    isGone = false
  })
  try {
    worker.run().catch((error) => serving.end(error)) // of no account when it has ended
    await serving.ended(signal)
    await closed(worker, client)
  } finally {
    await pool.close()
    disconnect()
    await rm(scratch, { recursive: true, force: true })
  }
  if (serving.fault) throw serving.fault
}

/** Waits until the jobs are back in the queue; not for a Redis that is gone, where they come back by themselves. */
async function closed(worker: Worker, client: Redis): Promise<void> {
  const gone = new AbortController()
  let misses = 0
  const timer = setInterval(() => {
    misses = client.status === 'ready' ? 0 : misses + 1
    if (misses >= GONE_CHECKS) gone.abort()
  }, IDLE_CHECK_MILLISECONDS)
  const isGone = new Promise<void>((resolve) => gone.signal.addEventListener('abort', () => resolve()))
  try {
    await Promise.race([worker.close(), isGone])
  } finally {
    clearInterval(timer)
  }
}

/** The job itself failed, and is to be tried again. */
class FailedError extends Error {}

class Serving {
  fault: unknown = null
  private readonly stop = new AbortController()
  private active = 0
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
    this.options.onNote?.(text)
  }

  /** Ends all, by a fault of this machine. */
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

  async process(bullJob: BullJob, token: string | undefined): Promise<object> {
    this.active += 1
    try {
      return await this.serve(bullJob, token)
    } finally {
      this.active -= 1
      this.lastActive = performance.now()
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

  /** What is no job's fault: of this machine, which ends the worker, or of Redis, which may pass. */
  private async onFault(error: unknown): Promise<void> {
    const isOfFiles = typeof (error as NodeJS.ErrnoException).path === 'string'
    if (error instanceof SweepStoreError || isOfFiles || isMachineFault(error)) {
      const reason = `this machine cannot do jobs: ${reasonFrom(error)}; fix that, and start the worker again`
      this.end(error instanceof SweepStoreError ? error : new SweepStoreError(reason, { cause: error }))
      return
    }
    this.note(`Redis refuses: ${reasonFrom(error)}; trying again`)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS))
  }

  private accept({ id, name, data }: BullJob): QueuedJob {
    try {
      return checkQueuedJob(id, name, data)
    } catch (error) {
      if (!(error instanceof JobRefusedError)) throw error
      this.options.onNote?.(error.message)
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
    if (isFirst) this.options.onOutcome?.(job.set, said)
  }

  /** Tries again while Redis refuses writes: it is full, or read-only after a failover. */
  private async persistently<T>(command: () => Promise<T>): Promise<T> {
    while (true) {
      try {
        return await command()
      } catch (error) {
        this.note(`Redis refuses: ${reasonFrom(error)}; trying again`)
        if (this.stop.signal.aborted) throw error
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS))
      }
    }
  }
}
