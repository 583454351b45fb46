import { GzipError } from '../errors'
import { fileBytes, headerBytes } from '../idx'
import { concat } from '../sources/fetch-bytes'

/** Whether the bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * Unpacks one gzip member with the browser's own code, which checks checksum and length and refuses what follows; stops as soon as the
 * output is larger than `capOf` its beginning allows.
 */
async function unpack(
  packed: Uint8Array,
  name: string,
  capOf: (head: Uint8Array) => number | null,
): Promise<Uint8Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'))
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let received = 0
  let cap: number | null = null
  for (;;) {
    const { value, done } = await reader.read().catch((cause) => {
      throw new GzipError(`${name}: ${cause.message}; fetch it again`, { cause })
    })
    if (done) return concat(chunks, received)
    chunks.push(value)
    received += value.length
    cap ??= capOf(chunks.length === 1 ? value : concat(chunks, received))
    if (cap !== null && received > cap) {
      void reader.cancel()
      throw new GzipError(`${name}: unpacks to more than the ${cap} bytes expected; fetch it again`)
    }
  }
}

/** Unpacks to at most so many bytes; bytes that are not gzip's come back as they are. */
export async function unpackTo(bytes: Uint8Array, maxBytes: number, name: string): Promise<Uint8Array> {
  return isGzip(bytes) ? unpack(bytes, name, () => maxBytes) : bytes
}

/** Unpacks an IDX file, no further than its own header says. */
export async function unpackIdx(bytes: Uint8Array, rank: number, name: string): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes
  return unpack(bytes, name, (head) => (head.length < headerBytes(rank) ? null : fileBytes(head, rank, name)))
}
