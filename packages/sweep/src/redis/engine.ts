import { refuseOptions, requireBoolean, requireCallbacks, requireFiles } from '../checks'
import type { Engine } from '../engine'
import type { FileStore } from '../files/store'
import { connect, type RedisConnection } from './connection'
import { storeOf } from './files'
import { RedisJobs } from './job-set'

/** How {@link redisEngine} reaches the workers. */
export interface RedisEngineOptions {
  /** Where Redis is. */
  connection: RedisConnection
  /** A directory for checkpoints and weights that the workers share, or {@link s3Files}. Redis holds them when absent. */
  files?: string | FileStore
  /** Forget which jobs failed, and do them again. @default false */
  retryFailed?: boolean
  /** Told, in words, that no worker is there. */
  onNote?: (note: string) => void
}

/**
 * Gives jobs to the workers of a queue, on any number of machines: BullMQ on Redis. Outcomes are in Redis, each written once by whoever
 * was first, so a program that stops, or a second one beside it, loses and doubles nothing.
 *
 * @throws `SWEEP_DEFINITION` for options that cannot be; when opened, {@link RedisError} when Redis cannot be reached
 * @example
 * ```ts
 * const table = await runSweep(sweep, { engine: redisEngine({ connection: 'redis://localhost:6379' }) })
 * ```
 */
export function redisEngine(input: RedisEngineOptions): Engine {
  const owner = 'redisEngine()'
  refuseOptions(owner, input, { connection: true, files: true, retryFailed: true, onNote: true })
  const { connection, files, retryFailed = false, onNote } = input
  requireFiles(owner, files)
  requireBoolean(owner, 'retryFailed', retryFailed)
  requireCallbacks(owner, { onNote })
  return {
    async open(options) {
      const connected = await connect(connection)
      const store = storeOf(files, connected.client)
      try {
        const jobs = await RedisJobs.open(connected, options, store, retryFailed)
        if (onNote) jobs.watchWorkers(onNote)
        return jobs
      } catch (error) {
        connected.disconnect()
        throw error
      }
    },
  }
}
