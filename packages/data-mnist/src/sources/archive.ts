// EMNIST: one archive of all its splits, which is kept as it was published. It goes piece by piece to the cache, and a split's files are
// taken out of it each time, so nothing is read but what the archive's checksum vouches for.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { fillFileAtomically } from '@rowwise/atomic-file'
import { RowwiseError } from '@rowwise/errors'
import { ChecksumError, DatasetError } from '../errors'
import type { PublishedFile, PublishedSet } from '../variants'
import { FIX, openFromCache, pathInCache, readingFailed, writingFailed } from './cache'
import { boundsOf, type DownloadOptions, fromMirrors } from './download'
import { CallbackFailure, concat, fetchChunks, MirrorFailure } from './fetch-bytes'

/**
 * Downloads an archive into the cache, verified; whole or not at all.
 *
 * @throws {@link DownloadError} with the reason of each mirror, {@link CacheError} when it cannot be kept, the signal's reason.
 */
export async function downloadArchive(
  directory: string,
  set: PublishedSet,
  file: PublishedFile,
  options: DownloadOptions,
): Promise<void> {
  const failed = writingFailed(directory)
  await fromMirrors(set, file, options, (url) =>
    fillFileAtomically(pathInCache(directory, set, file), async (handle) => {
      const hash = createHash('md5')
      await fetchChunks(url, boundsOf(url, file, options), async (chunk) => {
        hash.update(chunk)
        await handle.writeFile(chunk).catch(failed)
      })
      requireDigest(hash.digest('hex'), file, 'its answer', 'the mirror is damaged')
    }).catch((error) => {
      const isOfDownload = [MirrorFailure, CallbackFailure, RowwiseError].some((kind) => error instanceof kind)
      throw isOfDownload ? error : failed(error)
    }),
  )
}

/**
 * Compares an archive of the cache with what was published.
 *
 * @returns the open file; null when it is not there
 * @throws {@link ChecksumError}, {@link CacheError}
 */
export async function openArchive(
  directory: string,
  set: PublishedSet,
  file: PublishedFile,
): Promise<FileHandle | null> {
  const handle = await openFromCache(directory, set, file)
  if (handle === null) return null
  try {
    const hash = createHash('md5')
    for await (const chunk of chunksOf(handle)) hash.update(chunk)
    const path = pathInCache(directory, set, file)
    requireDigest(hash.digest('hex'), file, path, FIX)
    return handle
  } catch (error) {
    await handle.close()
    throw readingFailed(directory, error)
  }
}

/** Reads files of an archive, by their names without directories. @throws {@link DatasetError} when one is missing or damaged. */
export async function readEntries(
  archive: FileHandle,
  where: string,
  names: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const { Unzip, UnzipInflate } = await import('fflate/browser') // when wanted: only EMNIST needs it
  const found = new Map<string, Uint8Array>()
  const unzip = new Unzip((file) => {
    const name = basename(file.name)
    if (!names.includes(name)) return
    const chunks: Uint8Array[] = []
    let bytes = 0
    file.ondata = (error, chunk, isLast) => {
      if (error) throw error // out of the push below
      chunks.push(chunk)
      bytes += chunk.length
      if (isLast) found.set(name, concat(chunks, bytes))
    }
    file.start()
  })
  unzip.register(UnzipInflate)
  for await (const chunk of chunksOf(archive)) {
    try {
      unzip.push(chunk)
    } catch (cause) {
      throw new DatasetError(`${where} cannot be unpacked: ${(cause as Error).message}`, { cause })
    }
  }
  const missing = names.filter((name) => !found.has(name))
  if (missing.length === 0) return found
  throw new DatasetError(`${where} holds no ${missing.join(', ')}`)
}

/** A file from its beginning, piece by piece. */
function chunksOf(file: FileHandle): AsyncIterable<Uint8Array> {
  return file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 })
}

function requireDigest(found: string, { name, md5 }: PublishedFile, where: string, fix: string): void {
  if (found === md5) return
  throw new ChecksumError(`${where} has MD5 ${found}, the published ${name} has ${md5}; ${fix}`)
}
