import { isRowwiseError } from '@rowwise/errors'
import { type JobsOptions, Queue, QueueEvents } from 'bullmq'
import type { Redis } from 'ioredis'
import { untilAborted } from '../aborted'
import {
  decodeOutcome,
  encodeOutcome,
  isSetName,
  type Job,
  type JobSet,
  type JobSetOptions,
  MAX_FAILURES,
  type Outcome,
} from '../engine'
import { canonicalJson, requireSame } from '../engines/definition'
import { JobRefusedError, RedisError } from '../errors'
import type { FileStore } from '../files/store'
import { show } from '../space'
import { addressOf, type Connected } from './connection'
import { saveInto } from './files'
import { checkQueuedJob } from './job-data'
import { jobId, keysOf, QUEUE, SETS } from './names'

/** Events wake the one who waits; this is for those that a lost connection has swallowed. */
const POLL_MILLISECONDS = 2000

/** Nothing for so long, and somebody should know. */
const NO_WORKER_MILLISECONDS = 5000

/** BullMQ waits for connections that will not be again. */
const CLOSE_MILLISECONDS = 1000

/** Jobs that are sent at once. */
const CHUNK = 1000

const OPTIONS: JobsOptions = {
  attempts: MAX_FAILURES, // at once: a delay would be reckoned by the clocks of the workers, which may differ
  removeOnComplete: true, // the outcome is what counts, and has its own place
  stackTraceLimit: 1,
}

/** A job as it lies in the queue; its kind is its name there. */
function queuedData(set: string, { kind: _, ...job }: Job): object {
  return { set, ...job }
}

async function forgetFailed(client: Redis, hash: string): Promise<void> {
  for await (const page of client.hscanStream(hash, { count: CHUNK })) {
    for (let k = 0; k < page.length; k += 2) {
      if (decodeOutcome(page[k + 1], hash).status === 'failed') await client.hdel(hash, page[k])
    }
  }
}

/** The jobs of a set in the queue, and their outcomes. */
export class RedisJobs implements JobSet {
  /** Outcomes that came, as text: Redis gets them back should it lose them. */
  private readonly seen = new Map<string, string>()
  private readonly pending = new Map<string, Job>()
  private readonly arrived: string[] = []
  private readonly client: Redis
  private isUnsure = false
  /** Aborted when nothing is wanted any more: a command may wait for a Redis that is gone, and is left behind. */
  private readonly ended = new AbortController()
  private forgetSignal: () => void = () => {}
  private watch: NodeJS.Timeout | undefined
  private wake: () => void = () => {}

  private constructor(
    private readonly connected: Connected,
    private readonly name: string,
    private readonly files: FileStore,
    private readonly queue: Queue,
    private readonly events: QueueEvents,
    /** Keys of outcomes that programs before this one have got. */
    private readonly earlier: ReadonlySet<string>,
  ) {
    this.client = connected.client
    this.client.on('ready', () => {
      this.isUnsure = true // it was gone: an event may have been missed, a job lost
      this.wake()
    })
    queue.on('error', () => {}) // the connection comes back; see `connect`
    events.on('error', () => {})
    events.on('completed', ({ jobId: id }) => this.onEnd(id))
    events.on('failed', ({ jobId: id }) => this.onEnd(id))
  }

  static async open(
    connected: Connected,
    { name, definition, shared }: JobSetOptions,
    files: FileStore,
    retryFailed: boolean,
  ): Promise<RedisJobs> {
    const { client } = connected
    const keys = keysOf(name)
    const text = canonicalJson(definition)
    if (!isSetName(name))
      throw new JobRefusedError(`the jobs are called ${show(name)}, expected letters, digits and ._-`)
    await client.set(keys.definition, text, 'NX')
    requireSame(`${addressOf(client.options)}: ${name}`, (await client.get(keys.definition)) ?? text, text)
    if (shared !== undefined) await saveInto(client, keys.shared, shared, name)
    await client.sadd(SETS, name)
    if (retryFailed) await forgetFailed(client, keys.outcomes)
    const connection = client as never // BullMQ types ioredis by structure
    const queue = new Queue(QUEUE, { connection, skipWaitingForReady: true })
    const events = new QueueEvents(QUEUE, { connection }) // on another client, which it makes of this one
    return new RedisJobs(connected, name, files, queue, events, new Set(await client.hkeys(keys.outcomes)))
  }

  async add(jobs: readonly Job[]): Promise<void> {
    const wanted = jobs.filter(({ key }) => !this.seen.has(key) && !this.pending.has(key))
    for (const job of wanted) checkQueuedJob(jobId(this.name, job.key), job.kind, queuedData(this.name, job))
    for (const job of wanted) this.pending.set(job.key, job)
    await this.unlessEnded(this.send(wanted.filter(({ key }) => !this.earlier.has(key))))
  }

  outcomes(signal?: AbortSignal): AsyncGenerator<Outcome> {
    const end = (): void => this.ended.abort()
    this.forgetSignal = () => signal?.removeEventListener('abort', end)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
    return this.untilEnded()
  }

  private async *untilEnded(): AsyncGenerator<Outcome> {
    try {
      await this.unlessEnded(this.giveUpStalled())
      while (true) {
        for (const key of await this.unlessEnded(this.newKeys())) {
          const outcome = await this.unlessEnded(this.read(key))
          if (outcome) yield outcome
        }
        if (this.isUnsure) await this.unlessEnded(this.sendAgain())
        const isIdle = this.arrived.length === 0 && !this.isUnsure
        if (isIdle && (await this.unlessEnded(this.sleep()))) await this.unlessEnded(this.giveUpStalled())
      }
    } catch (error) {
      if (!this.ended.signal.aborted || isRowwiseError(error)) throw error
    }
  }

  private unlessEnded<T>(work: Promise<T>): Promise<T> {
    return untilAborted(this.ended.signal, work)
  }

  fetch(key: string, directory: string): Promise<boolean> {
    return this.unlessEnded(this.files.restore(this.name, key, directory))
  }

  discard(key: string): Promise<void> {
    return this.unlessEnded(this.files.discard(this.name, key))
  }

  /** Says once that nobody does the jobs. */
  watchWorkers(onNote: (note: string) => void): void {
    this.watch = setTimeout(() => {
      if (this.seen.size > 0 || this.pending.size === 0) return
      this.queue.getWorkersCount().then(
        (count) => count === 0 && onNote(`${this.pending.size} jobs wait and no worker is there; start one`),
        () => {}, // the connection is gone, which is another matter
      )
    }, NO_WORKER_MILLISECONDS)
  }

  async close(): Promise<void> {
    clearTimeout(this.watch)
    this.forgetSignal()
    this.ended.abort()
    this.wake() // its timer would keep the program
    this.connected.disconnect() // at once: Redis may be gone, and nothing is left to be said
    const closed = Promise.allSettled([this.events.close(), this.queue.close()])
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_MILLISECONDS))])
  }

  private async send(jobs: readonly Job[]): Promise<void> {
    for (let begin = 0; begin < jobs.length; begin += CHUNK) {
      await this.queue.addBulk(
        jobs.slice(begin, begin + CHUNK).map((job) => ({
          name: job.kind,
          data: queuedData(this.name, job),
          opts: { ...OPTIONS, jobId: jobId(this.name, job.key) },
        })),
      )
    }
  }

  private onEnd(id: string): void {
    const prefix = `${this.name}/`
    if (!id.startsWith(prefix)) return
    this.arrived.push(id.slice(prefix.length))
    this.wake()
  }

  /** Keys of outcomes that were not given yet: those of events, or all that Redis has when the numbers differ. */
  private async newKeys(): Promise<string[]> {
    const { outcomes } = keysOf(this.name)
    const fresh = new Set(this.arrived.splice(0).filter((key) => !this.seen.has(key)))
    const count = await this.client.hlen(outcomes)
    if (count !== this.seen.size + fresh.size) {
      for (const key of await this.client.hkeys(outcomes)) if (!this.seen.has(key)) fresh.add(key)
    }
    if (count < this.seen.size) this.isUnsure = true
    return [...fresh]
  }

  private async read(key: string): Promise<Outcome | null> {
    const { outcomes } = keysOf(this.name)
    let text = await this.client.hget(outcomes, key)
    if (text === null) {
      await this.giveUp(key)
      text = await this.client.hget(outcomes, key)
    }
    if (text === null || this.seen.has(key)) return null
    const outcome = decodeOutcome(text, `${outcomes} ${key}`)
    if (outcome.key !== key)
      throw new RedisError(`${outcomes}: ${key} holds the outcome of ${outcome.key}; it was altered`)
    this.seen.set(key, text)
    this.pending.delete(key)
    return outcome
  }

  /** A job that BullMQ moved to its failed ones: its worker died too often, or it was refused. */
  private async giveUp(key: string): Promise<void> {
    const job = await this.queue.getJob(jobId(this.name, key))
    if (!job || !(await job.isFailed())) return
    const reason = job.failedReason || 'its workers died'
    const attempts = Math.max(job.attemptsMade, job.attemptsStarted, 1)
    const outcome: Outcome = { key, status: 'failed', value: null, reason, attempts, seconds: 0, worker: '' }
    try {
      await this.client.hsetnx(keysOf(this.name).outcomes, key, encodeOutcome(outcome))
      await job.remove()
    } catch {
      // Redis is full, or read-only: the job stays where it is, and the next look finds it
    }
  }

  private async giveUpStalled(): Promise<void> {
    for (const { id = '' } of await this.queue.getFailed(0, CHUNK)) this.onEnd(id)
  }

  /** After Redis was gone: what it may have lost, it gets again. What it still has, stays. */
  private async sendAgain(): Promise<void> {
    this.isUnsure = false
    const { outcomes } = keysOf(this.name)
    const there = new Set(await this.client.hkeys(outcomes))
    for (const [key, text] of this.seen) if (!there.has(key)) await this.client.hsetnx(outcomes, key, text)
    await this.send([...this.pending.values()].filter(({ key }) => !there.has(key)))
    await this.giveUpStalled()
  }

  /** Until something comes; whether nothing did for long. */
  private async sleep(): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), POLL_MILLISECONDS)
      this.wake = () => {
        clearTimeout(timer)
        resolve(false)
      }
    })
  }
}
