import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Job as BullJob, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { encodeOutcome, MAX_LOSSES, type Outcome, reasonFrom } from '../engine'
import { attempt } from '../engines/attempt'
import { type Jobs, type Pool, poolOf } from '../engines/pool'
import { FilesTooLargeError, JobRefusedError, SweepStoreError } from '../errors'
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
  const { client, disconnect } = await connect(connection)
  const scratch = await mkdtemp(join(tmpdir(), 'rowwise-worker-'))
  const serving = new Serving(client, pool, scratch, storeOf(files, client), options)
  const milliseconds = 1000 * (options.lostAfterSeconds ?? DEFAULT_LOST_SECONDS)
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
    if (client.status === 'ready') onNote(reasonFrom(error))
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
  await Promise.race([worker.close(), isGone])
  clearInterval(timer)
}

class Serving {
  fault: unknown = null
  private readonly stop = new AbortController()
  private active = 0
  private lastActive = performance.now()

  constructor(
    private readonly client: Redis,
    private readonly pool: Pool,
    private readonly scratch: string,
    private readonly files: FileStore,
    private readonly options: WorkerOptions,
  ) {}

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
        if (!this.stop.signal.aborted) return
        clearInterval(timer)
        resolve()
      }, IDLE_CHECK_MILLISECONDS)
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
    if (await this.client.hexists(keysOf(job.set).outcomes, job.key)) return {} // done; who did it died before saying so
    const directory = await mkdtemp(join(this.scratch, 'job-'))
    try {
      const shared = await this.sharedOf(job.set)
      if (job.after !== undefined) await this.files.restore(job.set, job.after, directory)
      const before = {
        failures: bullJob.attemptsMade,
        losses: Math.max(0, bullJob.attemptsStarted - bullJob.attemptsMade - 1),
      }
      const found = await attempt(this.pool, job, { directory, shared, signal: this.stop.signal }, before)
      if (found.ended === 'outcome') {
        await this.commit(job, found.outcome, directory)
        return {}
      }
      if (found.ended === 'again' && found.failed) throw new Error(found.reason)
    } catch (error) {
      if (!(error instanceof SweepStoreError)) throw error
      this.end(error)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
    await bullJob.moveToWait(token)
    throw new WaitingError()
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
        if (!(error instanceof FilesTooLargeError)) throw error
        said = { ...outcome, status: 'failed', value: null, reason: error.message }
      })
    }
    const isFirst = await this.persistently(() =>
      this.client.hsetnx(keysOf(job.set).outcomes, job.key, encodeOutcome(said)),
    )
    if (isFirst) this.options.onOutcome?.(job.set, said)
  }

  /** Tries again while Redis refuses writes: it is full, or read-only after a failover. */
  private async persistently<T>(command: () => Promise<T>): Promise<T> {
    while (true) {
      try {
        return await command()
      } catch (error) {
        this.options.onNote?.(`Redis refuses: ${reasonFrom(error)}; trying again`)
        if (this.stop.signal.aborted) throw error
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS))
      }
    }
  }
}
