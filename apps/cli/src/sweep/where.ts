import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { reasonOf } from '@rowwise/errors'
import { type Engine, fetchLocalFiles, localEngine, readOutcomes, replaySweep, type SweepState } from '@rowwise/sweep'
import type { FileStore, RedisConnection } from '@rowwise/sweep/redis'
import { UsageError } from '../exit'

/** Where jobs run. */
export interface WhereFlags {
  workers?: number
  out?: string
  redis?: string
  redisCa?: string
  files?: string
  retryFailed?: boolean
}

/** The queue that the flags or ROWWISE_REDIS name; undefined for this machine alone. */
export function connectionOf({ redis = process.env.ROWWISE_REDIS, redisCa }: WhereFlags): RedisConnection | undefined {
  if (redis === undefined || redis === '') {
    if (redisCa !== undefined) throw new UsageError('--redis-ca is for a Redis with TLS; pass --redis rediss://… too')
    return undefined
  }
  if (redisCa === undefined) return redis
  if (!URL.canParse(redis) || !redis.startsWith('rediss://')) {
    throw new UsageError('--redis-ca is for TLS, expected --redis rediss://host:6379')
  }
  const { hostname: host, port, username, password, pathname } = new URL(redis)
  return {
    ...{ host, port: Number(port || 6379), username: decodeURIComponent(username) || undefined },
    ...{ password: decodeURIComponent(password) || undefined, db: Number(pathname.slice(1) || 0) },
    tls: { ca: readAuthority(redisCa) },
  }
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UsageError(`--redis-ca ${file} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

/** What --files names: a directory, or a bucket by its address, whose keys are where they usually are. */
export async function filesOf({ files }: WhereFlags): Promise<string | FileStore | undefined> {
  if (files === undefined || !/^https?:\/\//.test(files)) return files
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region } = process.env
  if (!accessKeyId || !secretAccessKey) {
    throw new UsageError(`--files ${files} is a bucket; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to its keys`)
  }
  const { s3Files } = await import('@rowwise/sweep/redis')
  return s3Files({ endpoint: files, accessKeyId, secretAccessKey, ...(region && { region }) })
}

/** The address of a program of ours that does jobs. */
export function jobsModule(isUsers: boolean): string {
  return fileURLToPath(new URL(isUsers ? './user-jobs.js' : './jobs.js', import.meta.url))
}

/** Processes that share the cores. */
export function workersOf({ workers = availableParallelism() }: WhereFlags): number {
  return workers
}

/** This machine, or the queue. */
export async function engineOf(
  flags: WhereFlags,
  { directory, isUsers }: { directory: string; isUsers: boolean },
): Promise<Engine> {
  const connection = connectionOf(flags)
  if (connection === undefined) {
    if (flags.files !== undefined)
      throw new UsageError('--files is what machines share; pass --redis too, or leave it out')
    const { retryFailed } = flags
    return localEngine({ jobs: jobsModule(isUsers), directory, workers: workersOf(flags), retryFailed })
  }
  for (const name of ['workers', 'out'] as const) {
    if (flags[name] === undefined) continue
    throw new UsageError(
      `--${name} is for this machine alone, and --redis gives the work to others; leave one of them out`,
    )
  }
  const { redisEngine } = await import('@rowwise/sweep/redis')
  return redisEngine({
    ...{ connection, files: await filesOf(flags), retryFailed: flags.retryFailed },
    onNote: (note) => console.error(`rowwise: ${note}: rowwise worker --redis …`),
  })
}

/** What was found of a sweep, which may be under way; and a way to what its jobs left. */
export interface StoredSweep {
  state: SweepState
  /** Jobs of all sweeps in the queue; undefined on this machine. */
  queue?: { waiting: number; active: number }
  /** Fills a directory with what a job left. */
  fetch(key: string, directory: string): Promise<boolean>
}

/** Reads a sweep from its directory, or by its name from Redis. */
export async function readSweep(nameOrDirectory: string, flags: WhereFlags): Promise<StoredSweep> {
  const connection = connectionOf(flags)
  if (connection === undefined) {
    const { definition, outcomes } = await readOutcomes(nameOrDirectory)
    return {
      state: replaySweep(definition, outcomes),
      fetch: (key, directory) => fetchLocalFiles(nameOrDirectory, key, directory),
    }
  }
  const { readRedisSet, fetchRedisFiles } = await import('@rowwise/sweep/redis')
  const { definition, outcomes, queue } = await readRedisSet(connection, nameOrDirectory)
  return {
    state: replaySweep(definition, outcomes),
    queue,
    fetch: async (key, directory) =>
      fetchRedisFiles({ connection, files: await filesOf(flags) }, { name: nameOrDirectory, key, directory }),
  }
}
