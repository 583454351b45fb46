import { reasonOf } from '@rowwise/errors'
import { DataNotFoundError } from '../errors'
import type { ReadOptions } from './progress'

// Without imports, so that a bundle for browsers, which have no files, has none to resolve.
type Fs = typeof import('node:fs/promises')

/**
 * Where bytes come from: a file's name or `file:` URL (in Node), the bytes themselves, a `Blob` or `File`, or chunks of
 * bytes or text, such as `response.body`.
 */
export type ByteSource =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>

const CHUNK_BYTES = 1 << 16 // so small that what it is cut into is young garbage still

/** What to call a source in errors. */
export function nameOf(source: ByteSource): string {
  return typeof source === 'string' || source instanceof URL ? String(source) : 'the data'
}

/** The name of a file, or chunks. @throws {@link DataNotFoundError} for what is neither. */
function pathOrChunks(source: ByteSource): string | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string> {
  if (typeof source === 'string') return source
  if (ArrayBuffer.isView(source)) return [new Uint8Array(source.buffer, source.byteOffset, source.byteLength)]
  if (source instanceof ArrayBuffer) return [new Uint8Array(source)]
  if (source instanceof Blob) return source.stream() as unknown as AsyncIterable<Uint8Array>
  if (source instanceof URL) return pathOf(source)
  const { [Symbol.asyncIterator]: many, [Symbol.iterator]: some } = (source ?? {}) as AsyncIterable<string> & string[]
  if (typeof many === 'function' || typeof some === 'function') return source
  throw new DataNotFoundError(
    `the source is ${source === null ? 'null' : typeof source}, expected the name of a file, its bytes, a Blob, or chunks of them`,
  )
}

function pathOf(url: URL): string {
  if (url.protocol === 'file:' && typeof process === 'object' && process.getBuiltinModule) {
    return process.getBuiltinModule('node:url').fileURLToPath(url)
  }
  throw new DataNotFoundError(`${url}: is not fetched here; pass the content: (await fetch(url)).body`)
}

/** Files of Node. @throws {@link DataNotFoundError} where there are none. */
export function nodeFs(path: string): Fs {
  if (typeof process === 'object' && process.getBuiltinModule) return process.getBuiltinModule('node:fs').promises
  throw new DataNotFoundError(`${path}: there are no files here; pass the content: (await fetch(url)).body`)
}

/** The chunks of a source. @throws {@link DataNotFoundError} when a file cannot be read; the reason of `signal`. */
export async function* chunksOf(
  from: ByteSource,
  { onProgress, signal }: ReadOptions,
): AsyncGenerator<Uint8Array | string> {
  const source = pathOrChunks(from)
  if (typeof source !== 'string') {
    let done = 0
    for await (const chunk of source) {
      signal?.throwIfAborted()
      done += chunk.length
      onProgress?.({ source: nameOf(from), done, total: undefined })
      yield chunk
    }
    return
  }
  const handle = await openFile(source)
  try {
    const { size } = await handle.stat()
    for (let done = 0; ; ) {
      signal?.throwIfAborted()
      const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return
      done += bytesRead
      onProgress?.({ source, done, total: size })
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

async function openFile(path: string) {
  try {
    const handle = await nodeFs(path).open(path, 'r')
    if (!(await handle.stat()).isDirectory()) return handle
    await handle.close()
  } catch (cause) {
    throw new DataNotFoundError(`${path} cannot be read: ${reasonOf(cause)}; check the path`, { cause })
  }
  throw new DataNotFoundError(`${path} is a directory, expected a file`)
}

/** All bytes of a source. @throws {@link DataNotFoundError}; `tooLarge` when there are more than `maxBytes`. */
export async function allBytes(
  source: ByteSource,
  maxBytes: number,
  tooLarge: (bytes: number) => Error,
  options: ReadOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const encoder = new TextEncoder()
  for await (const chunk of chunksOf(source, options)) {
    const bytes = typeof chunk === 'string' ? encoder.encode(chunk) : chunk
    size += bytes.length
    if (size > maxBytes) throw tooLarge(size)
    chunks.push(bytes)
  }
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
