import { reasonOf } from '@rowwise/errors'
import { DataNotFoundError } from '../errors'
import type { ReadOptions } from './progress'

// Without imports, so that a bundle for browsers, which have no files, has none to resolve.
type Fs = typeof import('node:fs/promises')

/** Where bytes come from: a file's name (in Node), or chunks of bytes or text, such as `response.body` or `blob.stream()`. */
export type ByteSource = string | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>

const CHUNK_BYTES = 1 << 16 // so small that what it is cut into is young garbage still

/** What to call a source in errors. */
export function nameOf(source: ByteSource): string {
  return typeof source === 'string' ? source : 'the data'
}

/** Files of Node. @throws {@link DataNotFoundError} where there are none. */
export function nodeFs(path: string): Fs {
  if (typeof process === 'object' && process.getBuiltinModule) return process.getBuiltinModule('node:fs').promises
  throw new DataNotFoundError(`${path}: there are no files here; pass the content: (await fetch(url)).body`)
}

/** The chunks of a source. @throws {@link DataNotFoundError} when a file cannot be read; the reason of `signal`. */
export async function* chunksOf(
  source: ByteSource,
  { onProgress, signal }: ReadOptions,
): AsyncGenerator<Uint8Array | string> {
  if (typeof source !== 'string') {
    let done = 0
    for await (const chunk of source) {
      signal?.throwIfAborted()
      done += chunk.length
      onProgress?.({ source: nameOf(source), done, total: undefined })
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
