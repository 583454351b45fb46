import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Redis } from 'ioredis'
import { JobRefusedError, SweepStoreError } from '../errors'
import { copyDirectory, copyInto, filesBelow, isThere } from '../files/directory'
import { show } from '../space'
import { keysOf } from './names'

/** What jobs leave for those that go on from them, and for the one who asks for the best weights. */
export interface FileStore {
  save(set: string, key: string, directory: string): Promise<void>
  /** Whether there was something. */
  restore(set: string, key: string, directory: string): Promise<boolean>
  discard(set: string, key: string): Promise<void>
}

/** A directory that all machines share, such as one of NFS. */
export function sharedDirectory(root: string): FileStore {
  const place = (set: string, key: string): string => join(root, set, key)
  return {
    async save(set, key, directory) {
      await mkdir(join(root, set), { recursive: true })
      await copyDirectory(directory, place(set, key))
    },
    async restore(set, key, directory) {
      if (!(await isThere(place(set, key)))) return false
      await copyInto(place(set, key), directory)
      return true
    },
    async discard(set, key) {
      await rm(place(set, key), { recursive: true, force: true })
    },
  }
}

/** Redis holds them in memory, so a model of this size is the largest that goes through it. */
export const MAX_REDIS_BYTES = 32 << 20

/** A job leaves a handful of files. */
const MAX_FILES = 64

/** A file's path in a job's directory: names with '/' between, none of which leads out of it. */
const FILE_NAME = /^(?:[A-Za-z0-9_-][\w.-]{0,99}\/){0,4}[A-Za-z0-9_-][\w.-]{0,99}$/

/** Redis itself. */
export function redisFiles(client: Redis): FileStore {
  return {
    save: (set, key, directory) => saveInto(client, keysOf(set).files(key), directory, `job ${key} of ${set}`),
    restore: (set, key, directory) => restoreFrom(client, keysOf(set).files(key), directory),
    async discard(set, key) {
      await client.unlink(keysOf(set).files(key))
    },
  }
}

/** Writes a directory's files into a hash, all of them or none. */
export async function saveInto(client: Redis, hash: string, directory: string, owner: string): Promise<void> {
  const names = await filesBelow(directory)
  if (names.length === 0) return
  const files = await Promise.all(names.map((name) => readFile(join(directory, name))))
  const bytes = files.reduce((sum, file) => sum + file.length, 0)
  if (bytes > MAX_REDIS_BYTES || names.length > MAX_FILES) {
    throw new SweepStoreError(
      `${owner} leaves ${names.length} files of ${Math.ceil(bytes / 2 ** 20)} MiB, Redis holds at most ${MAX_FILES} of ` +
        `${MAX_REDIS_BYTES / 2 ** 20} MiB; give the workers and the sweep a directory that they share`,
    )
  }
  await client.hset(hash, new Map(names.map((name, k) => [name, files[k]])))
}

/** Writes a hash's files into a directory, and nowhere else. */
export async function restoreFrom(client: Redis, hash: string, directory: string): Promise<boolean> {
  const found = await client.hgetallBuffer(hash)
  const names = Object.keys(found)
  const stray = names.find((name) => !FILE_NAME.test(name))
  if (stray !== undefined)
    throw new JobRefusedError(`${hash} has a file ${show(stray)}, which is no name of a file here`)
  for (const name of names) {
    const file = join(directory, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, found[name])
  }
  return names.length > 0
}
