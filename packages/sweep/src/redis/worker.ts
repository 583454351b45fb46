import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { MAX_LOSSES, reasonFrom } from '../engine'
import { poolOf } from '../engines/pool'
import { SweepStoreError } from '../errors'
import { connect } from './connection'
import { storeOf } from './files'
import { QUEUE } from './names'
import { Serving } from './serving'
import { checkOptions, DEFAULT_LOST_SECONDS, type WorkerOptions } from './worker-options'

const CHECK_MILLISECONDS = 250

/** A connection that is down for 3 s does not come back soon. */
const AWAY_CHECKS = 12

/** One that is up may be busy for 15 s with what a job leaves, which can be 32 MiB. */
const SILENT_CHECKS = 60

/**
 * Does the jobs of a queue until the signal ends it. A job that it was doing when it died is done by another worker.
 *
 * All sets of jobs share the queue, so `jobs` should have a function for each kind that is in it.
 *
 * @throws {@link RedisError} when Redis cannot be reached, {@link SweepStoreError} when this machine cannot do a job, because its disk is
 * full, or `jobs` has no function for it: its jobs go back to the queue first. `SWEEP_DEFINITION` for options that cannot be.
 * @example
 * ```ts
 * await runWorker({ connection: 'redis://localhost:6379', jobs: new URL('./trial.js', import.meta.url) })
 * ```
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  checkOptions(options)
  const { connection, jobs, workers = 1, files, signal, lostAfterSeconds = DEFAULT_LOST_SECONDS } = options
  const pool = poolOf(jobs, workers)
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
  const milliseconds = 1000 * lostAfterSeconds
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
    else if (!isGone) serving.say(`Redis is gone (${reasonFrom(error)}); waiting for it`)
    isGone = client.status !== 'ready'
  })
  client.on('ready', () => {
    if (isGone) serving.say('Redis is back')
    isGone = false
  })
  try {
    worker.run().catch((error) => serving.end(error)) // of no account when it has ended
    await serving.ended(signal)
    await closed(worker, client, serving)
  } finally {
    await pool.close()
    disconnect()
    await rm(scratch, { recursive: true, force: true })
  }
  if (serving.fault) throw serving.fault
}

/**
 * Waits until the jobs are back in the queue; not for a Redis that is gone, where they come back by themselves. BullMQ is closed by force
 * then: otherwise it would wait for the jobs first, and keep the program with a timer meanwhile.
 */
async function closed(worker: Worker, client: Redis, serving: Serving): Promise<void> {
  const gone = new AbortController()
  // Checks are counted, not time: a job that computes without a pause holds up the answers, too.
  let unanswered = 0
  const onAnswer = (): void => {
    unanswered = 0
  }
  const timer = setInterval(() => {
    const isReady = client.status === 'ready'
    unanswered += 1
    if (unanswered > (isReady ? SILENT_CHECKS : AWAY_CHECKS)) gone.abort()
    else if (isReady) client.ping().then(onAnswer, () => {})
  }, CHECK_MILLISECONDS)
  const isGone = new Promise<void>((resolve) => gone.signal.addEventListener('abort', () => resolve()))
  try {
    await worker.pause(true) // it takes no other job
    await Promise.race([serving.idle(), isGone])
    if (gone.signal.aborted) await worker.close(true)
    else await Promise.race([worker.close(), isGone])
  } finally {
    clearInterval(timer)
  }
}
