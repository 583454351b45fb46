import { constants, crc32, inflateRawSync } from 'node:zlib'
import { GzipError } from './errors'

const FIXED_HEADER_BYTES = 10
const TRAILER_BYTES = 8
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const
const RESERVED_FLAGS = 0xe0

/** Whether the bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * Unpacks one gzip member (RFC 1952), strictly: checksum and length must hold, nothing may follow.
 *
 * @param maxBytes unpacking stops as soon as the output would be larger.
 * @throws {@link GzipError}
 */
export function gunzip(bytes: Uint8Array, maxBytes: number, name = 'gzip data'): Uint8Array {
  const start = headerLength(bytes, name)
  const { output, consumed } = inflate(bytes.subarray(start), maxBytes, name)
  const trailerAt = start + consumed
  if (bytes.length !== trailerAt + TRAILER_BYTES) {
    const found = bytes.length - trailerAt
    throw new GzipError(
      `${name}: ${found} bytes follow the compressed data, expected the ${TRAILER_BYTES} of the trailer; fetch it again`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [crc, length] = [view.getUint32(trailerAt, true), view.getUint32(trailerAt + 4, true)]
  if (crc !== crc32(output) || length !== output.length % 2 ** 32) {
    throw new GzipError(`${name}: the checksum or length in the trailer is not that of the data; fetch it again`)
  }
  return output
}

/**
 * Unpacks only the first bytes of a member, to learn from a header how long the rest will be.
 *
 * @throws {@link GzipError} when fewer than `count` bytes can be unpacked.
 */
export function gunzipHead(bytes: Uint8Array, count: number, name = 'gzip data'): Uint8Array {
  const start = headerLength(bytes, name)
  const input = bytes.subarray(start, start + 64 * count) // deflate of a few bytes never needs more
  let head: Uint8Array
  try {
    head = inflateRawSync(input, { finishFlush: constants.Z_SYNC_FLUSH })
  } catch (cause) {
    throw new GzipError(`${name}: ${(cause as Error).message}; fetch it again`, { cause })
  }
  if (head.length < count) throw new GzipError(`${name}: holds ${head.length} bytes, expected at least ${count}`)
  return head.subarray(0, count)
}

function inflate(bytes: Uint8Array, maxBytes: number, name: string): { output: Uint8Array; consumed: number } {
  try {
    // `info` adds the engine, whose bytesWritten is the length of the compressed data; the types leave that out.
    const { buffer, engine } = inflateRawSync(bytes, { maxOutputLength: maxBytes, info: true }) as unknown as {
      buffer: Uint8Array
      engine: { bytesWritten: number }
    }
    return { output: buffer, consumed: engine.bytesWritten }
  } catch (cause) {
    const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    const reason = tooLarge ? `unpacks to more than the ${maxBytes} bytes expected` : (cause as Error).message
    throw new GzipError(`${name}: ${reason}; fetch it again`, { cause })
  }
}

function headerLength(bytes: Uint8Array, name: string): number {
  if (bytes.length < FIXED_HEADER_BYTES + TRAILER_BYTES || !isGzip(bytes)) {
    throw new GzipError(`${name}: is no gzip file (${bytes.length} bytes); fetch it again`)
  }
  const [method, flags] = [bytes[2], bytes[3]]
  if (method !== 8 || flags & RESERVED_FLAGS) {
    throw new GzipError(`${name}: gzip method ${method}, flags ${flags}: expected deflate (8) and no reserved flag`)
  }
  let at = FIXED_HEADER_BYTES
  if (flags & FLAG.extra) at += 2 + (bytes[at] | (bytes[at + 1] << 8))
  if (flags & FLAG.name) at = bytes.indexOf(0, at) + 1 || bytes.length
  if (flags & FLAG.comment) at = bytes.indexOf(0, at) + 1 || bytes.length
  if (flags & FLAG.headerCrc) at += 2
  if (at + TRAILER_BYTES > bytes.length) throw new GzipError(`${name}: ends inside its gzip header; fetch it again`)
  return at
}
