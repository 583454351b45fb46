import { constants } from 'node:fs'
import { access, lstat, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory, removeStaleTemporaries, writeFileAtomically } from '@rowwise/atomic-file'
import { reasonOf } from '@rowwise/errors'
import { environmentVariable } from '@rowwise/host'
import { CacheError, ChecksumError } from '../errors'
import { PUBLISHED, type PublishedFile, VARIANTS, type Variant } from '../variants'
import { verify } from './verify'

/** Where downloaded data sets are kept. */
export interface CacheOptions {
  /** The directory. @default the environment variable ROWWISE_CACHE, or the system's place for caches */
  cacheDirectory?: string
}

/** A file of the cache. */
export interface CachedFile {
  /** The data set that it belongs to. */
  variant: Variant
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

/** The cache directory in use. */
export async function cacheDirectory({ cacheDirectory }: CacheOptions = {}): Promise<string> {
  const chosen = cacheDirectory ?? environmentVariable('ROWWISE_CACHE')
  if (chosen) return chosen
  const { default: envPaths } = await import('env-paths') // when wanted: it asks for the home directory as it loads
  return envPaths('rowwise', { suffix: '' }).cache
}

/**
 * Reads a file of the cache, and no other: links are not followed, a wrong size is not read.
 *
 * @returns null when it is not there
 * @throws {@link ChecksumError} when it is not the published one, {@link CacheError} when it cannot be read.
 */
export async function readFromCache(
  directory: string,
  variant: Variant,
  file: PublishedFile,
): Promise<Uint8Array | null> {
  const path = join(directory, variant, file.name)
  const fix = `remove it, or run \`rowwise data clean\``
  try {
    const status = await lstat(path)
    if (status.isDirectory()) throw new CacheError(`${path} is a directory, expected a file; remove it`)
    if (!status.isFile()) throw new ChecksumError(`${path} is no regular file; ${fix}`)
    const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    try {
      const { size } = await handle.stat()
      if (file.sha256 ? size !== file.bytes : size > file.bytes) {
        throw new ChecksumError(`${path} has ${size} bytes, the published ${file.name} has ${file.bytes}; ${fix}`)
      }
      const bytes = await handle.readFile()
      await verify(bytes, file, path, fix)
      return bytes
    } finally {
      await handle.close()
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    if (cause instanceof ChecksumError || cause instanceof CacheError) throw cause
    throw unusable(directory, 'read', cause as Error)
  }
}

/** Makes the cache ready for a download, so that a directory that cannot be written to is known before. */
export async function prepareCache(directory: string, variant: Variant): Promise<void> {
  const path = join(directory, variant)
  try {
    await makeDirectory(path)
    await access(path, constants.W_OK)
    await removeTemporaries(directory, variant)
  } catch (cause) {
    throw unusable(directory, 'written', cause as Error)
  }
}

/** Removes what a process that was killed left behind. */
export async function removeTemporaries(directory: string, variant: Variant): Promise<void> {
  const names = new Set(PUBLISHED[variant].map(({ name }) => name))
  await removeStaleTemporaries(join(directory, variant), (name) => names.has(name)).catch((error) => {
    if (error.code !== 'ENOENT' && error.code !== 'EACCES' && error.code !== 'EROFS') throw error
  })
}

/** Keeps a file that was verified; whole or not at all. */
export async function writeToCache(
  directory: string,
  variant: Variant,
  { name }: PublishedFile,
  bytes: Uint8Array,
): Promise<void> {
  try {
    await writeFileAtomically(join(directory, variant, name), bytes)
  } catch (cause) {
    throw unusable(directory, 'written', cause as Error)
  }
}

/**
 * The files in the cache, unverified.
 *
 * @example
 * ```ts
 * const files = await listCache()
 * ```
 */
export async function listCache(options: CacheOptions = {}): Promise<CachedFile[]> {
  const directory = await cacheDirectory(options)
  const found: CachedFile[] = []
  for (const { variant, file } of everyFile()) {
    const path = join(directory, variant, file.name)
    const status = await lstat(path).catch(() => null)
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
      await readFromCache(directory, entry.variant, file)
      verified.push({ ...entry, ok: true })
    } catch (error) {
      verified.push({ ...entry, ok: false, reason: (error as Error).message })
    }
  }
  return verified
}

/**
 * Removes the cache's files and what interrupted downloads left behind; anything else in the directory stays.
 *
 * @returns the paths that were removed
 * @throws {@link CacheError} when one cannot be removed.
 */
export async function cleanCache(options: CacheOptions = {}): Promise<string[]> {
  const directory = await cacheDirectory(options)
  const removed: string[] = []
  try {
    for (const variant of Object.keys(VARIANTS) as Variant[]) {
      const names = PUBLISHED[variant].map(({ name }) => name)
      const entries = await readdir(join(directory, variant)).catch(() => [])
      for (const entry of entries) {
        const isTemporary = entry.endsWith('.tmp') && names.some((name) => entry.startsWith(`${name}.`))
        if (!names.includes(entry) && !isTemporary) continue
        await rm(join(directory, variant, entry))
        removed.push(join(directory, variant, entry))
      }
    }
  } catch (cause) {
    throw unusable(directory, 'cleaned', cause as Error)
  }
  return removed
}

function everyFile(): { variant: Variant; file: PublishedFile }[] {
  const variants = Object.keys(VARIANTS) as Variant[]
  return variants.flatMap((variant) => PUBLISHED[variant].map((file) => ({ variant, file })))
}

function unusable(directory: string, verb: string, cause: Error): CacheError {
  return new CacheError(
    `the cache ${directory} cannot be ${verb}: ${reasonOf(cause)}; choose another by cacheDirectory or ROWWISE_CACHE`,
    { cause },
  )
}
