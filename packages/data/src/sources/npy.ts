import { refuseUnknownOptions } from '@rowwise/errors'
import type { Column, NumberArray } from '../column'
import { LoaderOptionError, NpyError } from '../errors'
import { allBytes, type ByteSource, nameOf } from './bytes'
import type { ReadOptions } from './progress'

/** The largest file that is read: JavaScript's arrays end about there. */
const MAX_BYTES = 2 ** 32

/** A header has some hundred bytes; a longer one is damaged. */
const MAX_HEADER_BYTES = 1 << 16

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY

/** Bytes of an element, and how it is read. */
const KINDS: Record<string, { bytes: number; read(view: DataView, count: number): NumberArray }> = {
  '<f4': { bytes: 4, read: (view, n) => fill(new Float32Array(n), (k) => view.getFloat32(4 * k, true)) },
  '<f8': { bytes: 8, read: (view, n) => fill(new Float64Array(n), (k) => view.getFloat64(8 * k, true)) },
  '<i8': { bytes: 8, read: (view, n) => fill(new Float64Array(n), (k) => wide(view.getBigInt64(8 * k, true), k)) },
  '<i4': { bytes: 4, read: (view, n) => fill(new Int32Array(n), (k) => view.getInt32(4 * k, true)) },
  '<i2': { bytes: 2, read: (view, n) => fill(new Int16Array(n), (k) => view.getInt16(2 * k, true)) },
  '<u2': { bytes: 2, read: (view, n) => fill(new Uint16Array(n), (k) => view.getUint16(2 * k, true)) },
  '|i1': { bytes: 1, read: (view, n) => fill(new Int8Array(n), (k) => view.getInt8(k)) },
  '|u1': { bytes: 1, read: (view, n) => fill(new Uint8Array(n), (k) => view.getUint8(k)) },
  '|b1': { bytes: 1, read: (view, n) => fill(new Uint8Array(n), (k) => view.getUint8(k)) },
}

/**
 * Reads a NumPy file (`numpy.save`, format 1 to 3) of numbers in C order, strictly. Whole numbers of 64 bits become int32.
 *
 * @param source the name of a file, its bytes, a `Blob`, or chunks of them
 * @returns the numbers and their shape, for {@link TensorDataset}
 * @throws {@link NpyError} with the offset when the header, the dtype, the order or the size is not as it must be, or a number does not fit
 * into 32 bits; {@link DataNotFoundError} when the file cannot be read; the reason of `signal`.
 * @example
 * ```ts
 * const dataset = new TensorDataset({ inputs: await readNpy('x.npy'), targets: await readNpy('y.npy') })
 * ```
 */
export async function readNpy(source: ByteSource, options: ReadOptions = {}): Promise<Column> {
  refuseUnknownOptions('readNpy()', options, { onProgress: true, signal: true }, LoaderOptionError)
  const name = nameOf(source)
  const tooLarge = (bytes: number) => new NpyError(`${name}: has more than ${MAX_BYTES} bytes (${bytes}); cut it up`)
  return parseNpy(await allBytes(source, MAX_BYTES, tooLarge, options), name)
}

/**
 * {@link readNpy} of bytes.
 *
 * @param name what to call the file in errors
 * @throws {@link NpyError}
 */
export function parseNpy(bytes: Uint8Array, name = 'NumPy data'): Column {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 10 || MAGIC.some((byte, at) => bytes[at] !== byte)) {
    throw new NpyError(`${name}: does not begin as a NumPy file; write it with numpy.save`)
  }
  const version = bytes[6]
  if (version < 1 || version > 3) throw new NpyError(`${name}: version at offset 6 is ${version}, expected 1, 2 or 3`)
  const headerAt = version === 1 ? 10 : 12
  const headerBytes = version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? Infinity : view.getUint32(8, true)
  if (headerBytes > MAX_HEADER_BYTES || headerAt + headerBytes > bytes.length) {
    throw new NpyError(
      `${name}: the header at offset 8 has ${headerBytes} bytes, more than there are; fetch the file again`,
    )
  }
  const header = new TextDecoder().decode(bytes.subarray(headerAt, headerAt + headerBytes))
  const { descr, shape } = parseHeader(header, name)
  const kind = Object.hasOwn(KINDS, descr) ? KINDS[descr] : undefined
  if (kind === undefined) {
    throw new NpyError(
      `${name}: dtype is ${descr}, expected one of ${Object.keys(KINDS).join(', ')}; convert it with astype`,
    )
  }
  const dataAt = headerAt + headerBytes
  const count = shape.reduce((product, size) => product * size, 1)
  if (count * kind.bytes !== bytes.length - dataAt) {
    throw new NpyError(
      `${name}: shape (${shape}) of ${descr} needs ${count * kind.bytes} bytes from offset ${dataAt}, the file has ${bytes.length - dataAt}; it was cut or altered`,
    )
  }
  const data = kind.read(new DataView(bytes.buffer, bytes.byteOffset + dataAt, count * kind.bytes), count)
  return { data: descr === '<i8' ? Int32Array.from(data) : data, shape }
}

/** The header is a literal of a Python dictionary with three keys. */
function parseHeader(header: string, name: string): { descr: string; shape: number[] } {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1]
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1]
  if (descr === undefined || order === undefined || shape === undefined) {
    throw new NpyError(
      `${name}: the header is ${JSON.stringify(header.slice(0, 80))}, expected descr, fortran_order and shape`,
    )
  }
  if (order === 'True') {
    throw new NpyError(`${name}: is in Fortran order, expected C order; save numpy.ascontiguousarray(array)`)
  }
  const sizes = shape
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
  return { descr, shape: sizes.map((size) => Number.parseInt(size, 10)) }
}

function fill<A extends NumberArray>(array: A, at: (k: number) => number): A {
  for (let k = 0; k < array.length; k++) array[k] = at(k)
  return array
}

function wide(value: bigint, k: number): number {
  if (value >= -(2n ** 31n) && value < 2n ** 31n) return Number(value)
  throw new NpyError(`number ${k} is ${value}, which does not fit into 32 bits; convert it with astype`)
}
