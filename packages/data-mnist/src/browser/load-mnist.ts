import { classesOf, makeHalves, type RawHalves, transposed } from '../dataset'
import { ChecksumError, DataNotFoundError, DownloadError, LoaderOptionError } from '../errors'
import { parseIdx, parseIdxIntegers } from '../idx'
import type { LoadedMnist } from '../load-mnist'
import { checkLoadOptions, type LoadMnistOptions } from '../load-options'
import { download, fetchOf } from '../sources/download'
import { CallbackFailure, fetchBytes, MirrorFailure } from '../sources/fetch-bytes'
import { verify } from '../sources/verify'
import { EMNIST_ARCHIVE, filesOf, isTransposed, MIRRORS, PUBLISHED, publishedAs } from '../variants'
import { unpackIdx, unpackTo } from './gunzip'

/** The name of the browser's cache that verified files are kept in. */
const CACHE = 'rowwise-data'

/** A file that is asked for here has no known size; it must at least fit into memory. */
const MAX_FILE_BYTES = 2 ** 30

const BROWSER = { unpack: unpackTo, followsRedirects: true }

/**
 * `loadMnist` in a browser: `root` is an address, `source` is `'cache'` (the browser's own) or `'download'`; the rest is as in Node.
 */
export async function loadMnist(options: LoadMnistOptions = {}): Promise<LoadedMnist> {
  const { root, name, classNames } = checkLoadOptions(options)
  if (options.source === 'npm') {
    throw new LoaderOptionError("source is 'npm', which a browser has none of; pass root, mirrors, or nothing")
  }
  const read = (file: string, rank: number): Promise<Uint8Array> =>
    root === undefined ? readPublished(file, options) : readFromRoot(root, file, rank, options)
  const { variant } = options
  const files = filesOf(variant)
  const half = async (split: 'train' | 'test'): Promise<RawHalves['train']> => {
    const { images, labels } = files[split]
    const pixels = parseIdx(await read(images, 3), 3, images)
    const isWide = labels.endsWith('-int')
    const found = await read(labels, isWide ? 2 : 1)
    return [
      isTransposed(variant) ? transposed(pixels) : pixels,
      isWide ? classesOf(parseIdxIntegers(found, 2, labels), labels) : parseIdx(found, 1, labels),
    ]
  }
  return makeHalves(name ?? String(root), { train: await half('train'), test: await half('test') }, classNames)
}

async function readFromRoot(root: string, name: string, rank: number, options: LoadMnistOptions): Promise<Uint8Array> {
  const base = new URL(root.endsWith('/') ? root : `${root}/`, globalThis.location.href)
  const reasons: string[] = []
  for (const candidate of [name, `${name}.gz`]) {
    try {
      const bytes = await fetchBytes(new URL(candidate, base), {
        maxBytes: MAX_FILE_BYTES,
        timeoutMs: options.timeoutMs ?? 120_000,
        stallMs: options.stallMs ?? 15_000,
        signal: options.signal,
        fetch: fetchOf(options),
        followsRedirects: true,
        onChunk: (received, total) => options.onProgress?.({ file: name, mirror: base.host, received, total }),
      })
      return await unpackIdx(bytes, rank, name)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof CallbackFailure) throw error.cause
      const { message } = error as Error
      if (error instanceof MirrorFailure && !/^HTTP 4/.test(message)) {
        throw new DownloadError(`${new URL(candidate, base)} could not be read: ${message}; check root and the network`)
      }
      if (!(error instanceof MirrorFailure)) throw error
      reasons.push(`${candidate}: ${(error as Error).message}`)
    }
  }
  throw new DataNotFoundError(
    `${base.href} has no ${name} (${reasons.join('; ')}); pass the address of the four IDX files`,
  )
}

async function readPublished(name: string, options: LoadMnistOptions): Promise<Uint8Array> {
  const { variant = 'mnist' } = options
  const set = publishedAs(variant)
  const file = PUBLISHED[set].find((candidate) => candidate.name === name)
  if (file === undefined) {
    throw new DataNotFoundError(
      set === 'emnist'
        ? `${variant} is published in an archive of 562 MB; unpack ${MIRRORS.emnist[0]}${EMNIST_ARCHIVE.name} and pass the address of its directory gzip as root`
        : `${variant} is published with MD5 sums, which a browser cannot check; pass the address of its files as root`,
    )
  }
  // A page that is not served securely has no cache; it downloads every time.
  // One that may not be opened, or is full, is none.
  const cache = typeof caches === 'object' ? await caches.open(CACHE).catch(() => null) : null
  const key = `https://rowwise.invalid/${variant}/${name}`
  const kept = options.source === 'download' ? undefined : await cache?.match(key)
  if (kept) {
    const bytes = new Uint8Array(await kept.arrayBuffer())
    const isGood = await verify(bytes, file, 'the cached file', 'it is fetched again').then(
      () => true,
      (error) => {
        if (error instanceof ChecksumError && options.source !== 'cache') return false
        throw error
      },
    )
    if (isGood) return bytes
  }
  if (options.source === 'cache') {
    throw new DataNotFoundError(
      `the browser's cache ${CACHE} holds no ${variant}/${name}; leave source out to download it`,
    )
  }
  const bytes = await download(set, file, options, BROWSER)
  await cache?.put(key, new Response(bytes as Uint8Array<ArrayBuffer>)).catch(() => {})
  return bytes
}
