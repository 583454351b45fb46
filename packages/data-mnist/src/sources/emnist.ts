import type { LoadMnistOptions } from '../load-options'
import { filesOf, type PublishedFile, type Variant } from '../variants'
import { downloadArchive, openArchive, readEntries } from './archive'
import { notCached, pathInCache, prepareCache, unless } from './cache'

/** Reads a data set's file by its name. */
export type FileReader = (name: string) => Promise<Uint8Array>

/**
 * Reads a split of EMNIST from the archive in the cache, downloaded if need be.
 *
 * @throws what {@link downloadArchive}, {@link openArchive} and {@link readEntries} throw; {@link DataNotFoundError} when it must be in the
 * cache and is not
 */
export async function emnistReader(
  archive: PublishedFile,
  directory: string,
  variant: Variant,
  options: LoadMnistOptions,
): Promise<FileReader> {
  const { source } = options
  const open = () => openArchive(directory, 'emnist', archive)
  let handle = source === 'download' ? null : await open().catch(unless(source))
  if (handle === null && source !== 'cache') {
    await prepareCache(directory, 'emnist')
    await downloadArchive(directory, 'emnist', archive, options)
    handle = await open()
  }
  if (handle === null) throw notCached(directory, 'emnist', archive.name)
  try {
    const { train, test } = filesOf(variant)
    const names = [train.images, train.labels, test.images, test.labels].map((name) => `${name}.gz`)
    const found = await readEntries(handle, pathInCache(directory, 'emnist', archive), names)
    return async (name) => found.get(`${name}.gz`) as Uint8Array
  } finally {
    await handle.close()
  }
}
