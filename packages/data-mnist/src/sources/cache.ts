import { constants } from 'node:fs'
import { access, type FileHandle, lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory, removeStaleTemporaries, writeFileAtomically } from '@rowwise/atomic-file'
import { reasonOf } from '@rowwise/errors'
import { environmentVariable } from '@rowwise/host'
import { CacheError, ChecksumError, DataNotFoundError } from '../errors'
import { PUBLISHED, type PublishedFile, type PublishedSet } from '../variants'
import { verify } from './verify'

/** Where downloaded data sets are kept. */
export interface CacheOptions {
  /** The directory. @default the environment variable ROWWISE_CACHE, or the system's place for caches */
  cacheDirectory?: string
}

/** The cache directory in use. */
export async function cacheDirectory({ cacheDirectory }: CacheOptions = {}): Promise<string> {
  const chosen = cacheDirectory ?? environmentVariable('ROWWISE_CACHE')
  if (chosen) return chosen
  const { default: envPaths } = await import('env-paths') // when wanted: it asks for the home directory as it loads
  return envPaths('rowwise', { suffix: '' }).cache
}

/** Where a file is kept. */
export function pathInCache(directory: string, set: PublishedSet, { name }: PublishedFile): string {
  return join(directory, set, name)
}

/**
 * Opens a file of the cache, and no other: links are not followed, a wrong size is not read.
 *
 * @returns null when it is not there
 * @throws {@link ChecksumError} when it cannot be the published one, {@link CacheError} when it cannot be opened.
 */
export async function openFromCache(
  directory: string,
  set: PublishedSet,
  file: PublishedFile,
): Promise<FileHandle | null> {
  const path = pathInCache(directory, set, file)
  try {
    const status = await lstat(path)
    if (status.isDirectory()) throw new CacheError(`${path} is a directory, expected a file; remove it`)
    if (!status.isFile()) throw new ChecksumError(`${path} is no regular file; ${FIX}`)
    const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    const { size } = await handle.stat()
    if (file.sha256 ? size === file.bytes : size <= file.bytes) return handle
    await handle.close()
    throw new ChecksumError(`${path} has ${size} bytes, the published ${file.name} has ${file.bytes}; ${FIX}`)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw readingFailed(directory, cause)
  }
}

/** What to do about a file of the cache that is not the published one. */
export const FIX = 'remove it, or run `rowwise data clean`'

/**
 * Reads a file of the cache.
 *
 * @returns null when it is not there
 * @throws {@link ChecksumError} when it is not the published one, {@link CacheError} when it cannot be read.
 */
export async function readFromCache(
  directory: string,
  set: PublishedSet,
  file: PublishedFile,
): Promise<Uint8Array | null> {
  const handle = await openFromCache(directory, set, file)
  try {
    const bytes = await handle?.readFile()
    if (bytes === undefined) return null
    await verify(bytes, file, pathInCache(directory, set, file), FIX)
    return bytes
  } catch (error) {
    throw readingFailed(directory, error)
  } finally {
    await handle?.close()
  }
}

/** Makes the cache ready for a download, so that a directory that cannot be written to is known before. */
export async function prepareCache(directory: string, set: PublishedSet): Promise<void> {
  const path = join(directory, set)
  try {
    await makeDirectory(path)
    await access(path, constants.W_OK)
    await removeTemporaries(directory, set)
  } catch (cause) {
    throw unusable(directory, 'written', cause as Error)
  }
}

/** Removes what a process that was killed left behind. */
export async function removeTemporaries(directory: string, set: PublishedSet): Promise<void> {
  const names = new Set(PUBLISHED[set].map(({ name }) => name))
  await removeStaleTemporaries(join(directory, set), (name) => names.has(name)).catch((error) => {
    if (error.code !== 'ENOENT' && error.code !== 'EACCES' && error.code !== 'EROFS') throw error
  })
}

/** Keeps a file that was verified; whole or not at all. */
export async function writeToCache(
  directory: string,
  set: PublishedSet,
  file: PublishedFile,
  bytes: Uint8Array,
): Promise<void> {
  await writeFileAtomically(pathInCache(directory, set, file), bytes).catch(writingFailed(directory))
}

/** A cached file that was altered counts as missing, unless nothing but the cache may be used. */
export function unless(source: 'npm' | 'cache' | 'download' | undefined): (error: unknown) => null {
  return (error) => {
    if (error instanceof ChecksumError && source !== 'cache') return null
    throw error
  }
}

/** That the cache, which alone may be used, has no such file. */
export function notCached(directory: string, set: PublishedSet, name: string): DataNotFoundError {
  return new DataNotFoundError(`the cache ${directory} holds no ${set}/${name}; leave source out to download it`)
}

/** What is thrown of a cache that cannot be read: a reason of our own, or the file system's. */
export function readingFailed(directory: string, cause: unknown): Error {
  const isOurs = cause instanceof ChecksumError || cause instanceof CacheError
  return isOurs ? cause : unusable(directory, 'read', cause as Error)
}

/** Throws that the cache cannot be written. */
export function writingFailed(directory: string): (cause: Error) => never {
  return (cause) => {
    throw unusable(directory, 'written', cause)
  }
}

/** That the cache cannot be used. */
export function unusable(directory: string, verb: string, cause: Error): CacheError {
  return new CacheError(
    `the cache ${directory} cannot be ${verb}: ${reasonOf(cause)}; choose another by cacheDirectory or ROWWISE_CACHE`,
    { cause },
  )
}
