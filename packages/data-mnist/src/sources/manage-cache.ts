import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeStaleTemporaries } from '@rowwise/atomic-file'
import { EMNIST_ARCHIVE, PUBLISHED, type PublishedFile, type PublishedSet } from '../variants'
import { openArchive } from './archive'
import { type CacheOptions, cacheDirectory, pathInCache, readFromCache, unusable } from './cache'

/** A file of the cache. */
export interface CachedFile {
  /** The data set that it belongs to; `emnist` for all of its splits. */
  variant: PublishedSet
  /** Its name, such as `train-images-idx3-ubyte`. */
  name: string
  /** Where it lies. */
  path: string
  /** Its size in bytes. */
  bytes: number
}

/** What {@link verifyCache} found. */
export interface VerifiedFile extends CachedFile {
  /** Whether the file is the published one. */
  ok: boolean
  /** What is wrong with it. */
  reason?: string
}

/**
 * The files in the cache, unverified.
 *
 * @throws {@link CacheError} when the cache cannot be read.
 * @example
 * ```ts
 * const files = await listCache()
 * ```
 */
export async function listCache(options: CacheOptions = {}): Promise<CachedFile[]> {
  const directory = await cacheDirectory(options)
  const found: CachedFile[] = []
  for (const { variant, file } of everyFile()) {
    const path = pathInCache(directory, variant, file)
    const status = await lstat(path).catch((cause) => {
      if (!isMissing(cause)) throw unusable(directory, 'read', cause)
      return null
    })
    if (status) found.push({ variant, name: file.name, path, bytes: status.size })
  }
  return found
}

/**
 * Compares every file in the cache with what was published.
 *
 * @example
 * ```ts
 * const altered = (await verifyCache()).filter(({ ok }) => !ok)
 * ```
 */
export async function verifyCache(options: CacheOptions = {}): Promise<VerifiedFile[]> {
  const directory = await cacheDirectory(options)
  const verified: VerifiedFile[] = []
  for (const entry of await listCache(options)) {
    const file = PUBLISHED[entry.variant].find(({ name }) => name === entry.name) as PublishedFile
    try {
      if (file === EMNIST_ARCHIVE) await (await openArchive(directory, entry.variant, file))?.close()
      else await readFromCache(directory, entry.variant, file)
      verified.push({ ...entry, ok: true })
    } catch (error) {
      verified.push({ ...entry, ok: false, reason: (error as Error).message })
    }
  }
  return verified
}

/**
 * Removes the cache's files and what interrupted downloads left behind. Anything else in the directory stays, also what a
 * download under way has so far.
 *
 * @returns the paths that were removed
 * @throws {@link CacheError} when one cannot be removed.
 */
export async function cleanCache(options: CacheOptions = {}): Promise<string[]> {
  const directory = await cacheDirectory(options)
  const removed: string[] = []
  try {
    for (const variant of SETS) {
      const names = PUBLISHED[variant].map(({ name }) => name)
      const at = join(directory, variant)
      const entries = await readdir(at).catch((cause) => {
        if (isMissing(cause)) return null
        throw cause
      })
      if (entries === null) continue
      for (const entry of entries.filter((name) => names.includes(name))) {
        await rm(join(at, entry))
        removed.push(join(at, entry))
      }
      removed.push(...(await removeStaleTemporaries(at, (name) => names.includes(name))))
    }
  } catch (cause) {
    throw unusable(directory, 'cleaned', cause as Error)
  }
  return removed
}

/** Whether there is no such file, in a directory that can be read. */
function isMissing(cause: NodeJS.ErrnoException): boolean {
  return cause.code === 'ENOENT' || cause.code === 'ENOTDIR'
}

const SETS = Object.keys(PUBLISHED) as PublishedSet[]

function everyFile(): { variant: PublishedSet; file: PublishedFile }[] {
  return SETS.flatMap((variant) => PUBLISHED[variant].map((file) => ({ variant, file })))
}
