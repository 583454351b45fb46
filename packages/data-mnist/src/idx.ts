import { IdxError } from './errors'

const TYPE_UINT8 = 0x08 // of the format's types the one that images and all labels but QMNIST's use
const TYPE_INT32 = 0x0c
const DIMENSIONS_AT = 4

/** Larger than any data set in this format; what claims more is damaged or an attack. */
const MAX_FILE_BYTES = 2 ** 31

/** The content of an IDX file of unsigned bytes. */
export interface IdxArray {
  /** Items along each axis, e.g. `[60000, 28, 28]`. */
  shape: number[]
  /** uint8, row-major; a view of the bytes that were parsed. */
  data: Uint8Array
}

/**
 * Reads an IDX file of unsigned bytes, strictly: nothing may be missing, left over or unexpected.
 *
 * The format is the MNIST authors': two zero bytes, a type, a rank, a big-endian uint32 per axis, then the data.
 *
 * @param bytes the whole, uncompressed file.
 * @param rank how many axes it must have: 3 for images, 1 for labels.
 * @param name what to call the file in errors.
 * @throws {@link IdxError} that names the field, its offset, what was found and what was expected.
 * @example
 * ```ts
 * const { shape, data } = parseIdx(await readFile('train-images-idx3-ubyte'), 3) // shape [60000, 28, 28]
 * ```
 */
export function parseIdx(bytes: Uint8Array, rank: number, name = 'IDX data'): IdxArray {
  const dataAt = headerBytes(rank)
  checkMagic(bytes, rank, name)
  if (bytes.length < dataAt) {
    throw new IdxError(`${name}: ends at byte ${bytes.length} inside its ${dataAt}-byte header; fetch it again`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(DIMENSIONS_AT + 4 * axis))
  const empty = shape.indexOf(0)
  if (empty >= 0) {
    throw new IdxError(
      `${name}: dimension ${empty} at offset ${DIMENSIONS_AT + 4 * empty} is 0, expected at least 1; fetch the file again`,
    )
  }
  const expected = shape.reduce((product, size) => product * size, 1)
  const found = bytes.length - dataAt
  if (expected !== found) {
    throw new IdxError(
      `${name}: dimensions [${shape}] at offset ${DIMENSIONS_AT} need ${expected} bytes of data, the file has ${found}; ` +
        'it was cut or altered, so fetch it again',
    )
  }
  return { shape, data: bytes.subarray(dataAt) }
}

/**
 * Reads an IDX file of big-endian signed integers of 32 bits, as strictly.
 *
 * @throws {@link IdxError}
 */
export function parseIdxIntegers(bytes: Uint8Array, rank: number, name: string): { shape: number[]; data: Int32Array } {
  const dataAt = headerBytes(rank)
  checkMagic(bytes, rank, name, TYPE_INT32)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < dataAt) {
    throw new IdxError(`${name}: ends at byte ${bytes.length} inside its ${dataAt}-byte header; fetch it again`)
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(DIMENSIONS_AT + 4 * axis))
  const count = shape.reduce((product, size) => product * size, 1)
  if (count === 0 || 4 * count !== bytes.length - dataAt) {
    throw new IdxError(
      `${name}: dimensions [${shape}] at offset ${DIMENSIONS_AT} need ${4 * count} bytes of data, the file has ${bytes.length - dataAt}; ` +
        'it was cut or altered, so fetch it again',
    )
  }
  return { shape, data: Int32Array.from({ length: count }, (_, k) => view.getInt32(dataAt + 4 * k)) }
}

/** Bytes before the data. */
export function headerBytes(rank: number): number {
  return DIMENSIONS_AT + 4 * rank
}

/** How large a whole file says that it is, in its first bytes. */
export function fileBytes(head: Uint8Array, rank: number, name: string): number {
  checkMagic(head, rank, name)
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  let size = 1
  for (let axis = 0; axis < rank; axis++) size *= view.getUint32(DIMENSIONS_AT + 4 * axis)
  const whole = size + headerBytes(rank)
  if (whole <= MAX_FILE_BYTES) return whole
  throw new IdxError(`${name}: its dimensions need ${size} bytes, more than the ${MAX_FILE_BYTES} that are allowed`)
}

/** Refuses bytes that do not begin as an IDX file of this type and rank does. */
export function checkMagic(bytes: Uint8Array, rank: number, name: string, type = TYPE_UINT8): void {
  if (bytes.length < DIMENSIONS_AT) {
    throw new IdxError(`${name}: has ${bytes.length} bytes, fewer than the 4 of an IDX magic number; fetch it again`)
  }
  const zeros = (bytes[0] << 8) | bytes[1]
  if (zeros !== 0) {
    throw new IdxError(`${name}: magic at offset 0 begins with 0x${hex(zeros, 4)}, expected 0x0000; is it an IDX file?`)
  }
  if (bytes[2] !== type) {
    const meaning = type === TYPE_UINT8 ? 'unsigned bytes' : 'integers of 32 bits'
    throw new IdxError(`${name}: type at offset 2 is 0x${hex(bytes[2], 2)}, expected 0x${hex(type, 2)} (${meaning})`)
  }
  if (bytes[3] !== rank) {
    throw new IdxError(
      `${name}: rank at offset 3 is ${bytes[3]}, expected ${rank} (images have 3, labels 1); is it the other file?`,
    )
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
