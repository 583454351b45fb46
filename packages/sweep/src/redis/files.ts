import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { FilesTooLargeError } from '../errors'
import { copyDirectory, copyInto, isThere } from '../files/directory'
import { type FileStore, MAX_FILES, readFrom, writeInto } from '../files/store'
import { keysOf } from './names'

/** A directory that all machines share, such as one of NFS. */
function sharedDirectory(root: string): FileStore {
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
const MAX_REDIS_BYTES = 32 << 20

/** Redis itself. */
function redisFiles(client: Redis): FileStore {
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
  const files = await readFrom(directory)
  const names = Object.keys(files)
  if (names.length === 0) return
  const bytes = Object.values(files).reduce((sum, file) => sum + file.length, 0)
  if (bytes > MAX_REDIS_BYTES || names.length > MAX_FILES) {
    throw new FilesTooLargeError(
      `${owner} leaves ${names.length} files of ${Math.ceil(bytes / 2 ** 20)} MiB, Redis holds at most ${MAX_FILES} of ` +
        `${MAX_REDIS_BYTES / 2 ** 20} MiB; give the workers and the sweep a directory that they share`,
    )
  }
  await client.hset(hash, new Map(Object.entries(files)))
}

/** Writes a hash's files into a directory, and nowhere else. */
export async function restoreFrom(client: Redis, hash: string, directory: string): Promise<boolean> {
  const found = await client.hgetallBuffer(hash)
  await writeInto(directory, found, hash)
  return Object.keys(found).length > 0
}

/** The files that the machines hand on: those of a directory, of a store, or Redis itself. */
export function storeOf(files: string | FileStore | undefined, client: Redis): FileStore {
  if (files === undefined) return redisFiles(client)
  return typeof files === 'string' ? sharedDirectory(files) : files
}
