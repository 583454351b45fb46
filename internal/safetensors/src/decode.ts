import { decodeUtf8 } from '@rowwise/host'
import { bytesOf } from './bytes-of'
import { DTYPES, type Safetensor, type SafetensorsDtype } from './dtypes'
import { SafetensorsError } from './error'
import { type HeaderValue, parseHeaderJson } from './header-json'
import { checkCoverage, checkName, readLayout } from './layout'
import { MAX_HEADER_BYTES, MAX_TENSORS } from './limits'
import { quote } from './show'
import { whatFile } from './what-file'

/** The content of a safetensors file. */
export interface SafetensorsFile {
  /** Tensors by name, in the order of their data. */
  tensors: Record<string, Safetensor>
  /** The free text entries under `__metadata__`; empty when there are none. */
  metadata: Record<string, string>
}

const LENGTH_BYTES = 8
const METADATA = '__metadata__'
const BRACE = 0x7b // '{', with which every header begins

/**
 * Reads a safetensors file as the official reader does, but stricter: duplicate and dangerous names, leading white space and
 * very large headers are refused. Every byte of the data belongs to exactly one tensor, every size adds up, and nothing is
 * allocated before all of that holds.
 *
 * @param bytes the file's content, not its path
 * @throws {@link SafetensorsError} that names the tensor and the field, what was found and what was expected; of a file in
 * another format it says which that is, and what to do.
 * @example
 * ```ts
 * const { tensors, metadata } = decodeSafetensors(await readFile('model.safetensors'))
 * tensors['fc_1.bias'] // { dtype: 'F32', shape: [10], data: Float32Array(10) }
 * ```
 */
export function decodeSafetensors(bytes: Uint8Array | ArrayBuffer): SafetensorsFile {
  const { header, data } = splitFile(bytesOf('decodeSafetensors', bytes))
  const entries = parseHeaderJson(header)
  const metadata = readMetadata(entries.get(METADATA))
  entries.delete(METADATA)
  if (entries.size > MAX_TENSORS) {
    throw new SafetensorsError(`the header lists ${entries.size} tensors, the limit is ${MAX_TENSORS}`)
  }
  const layouts = Array.from(entries, ([name, value]) => readLayout(name, value)).sort(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )
  checkCoverage(layouts, data.length)
  const tensors = Object.fromEntries(
    layouts.map(({ name, dtype, shape, begin, end }) => [name, { dtype, shape, data: copy(data, dtype, begin, end) }]),
  )
  return { tensors, metadata }
}

function splitFile(bytes: Uint8Array): { header: string; data: Uint8Array } {
  const length = headerLength(bytes)
  const dataAt = LENGTH_BYTES + length
  // A copy, because a decoder takes no memory that threads share.
  const encoded = new Uint8Array(bytes.subarray(LENGTH_BYTES, dataAt))
  try {
    return { header: decodeUtf8(encoded), data: bytes.subarray(dataAt) }
  } catch (cause) {
    throw new SafetensorsError('the header is not valid UTF-8; the file was damaged, so fetch it again', { cause })
  }
}

function headerLength(bytes: Uint8Array): number {
  if (bytes.length < LENGTH_BYTES) {
    throw notSafetensors(
      bytes,
      `the file has ${bytes.length} bytes, fewer than the 8 of its header length; fetch it again`,
    )
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true)
  const left = bytes.length - LENGTH_BYTES
  const hasBrace = bytes[LENGTH_BYTES] === BRACE
  if (length < 2n || length > BigInt(Math.min(MAX_HEADER_BYTES, left))) {
    const wasCut = hasBrace && length > BigInt(left) && length <= BigInt(MAX_HEADER_BYTES)
    throw notSafetensors(
      bytes,
      `the header length is ${length}, expected 2 to ${Math.min(MAX_HEADER_BYTES, left)}; ` +
        (wasCut ? 'the file ends in its header, so fetch it again' : 'is it a safetensors file?'),
    )
  }
  if (!hasBrace) throw notSafetensors(bytes, "the header does not begin with '{'; is it a safetensors file?")
  return Number(length)
}

/** The error for bytes that cannot be a safetensors file: what they are, where that is known, else the message. */
function notSafetensors(bytes: Uint8Array, message: string): SafetensorsError {
  const found = whatFile(bytes)
  return new SafetensorsError(found ? `the file is ${found.what}, not safetensors; ${found.advice}` : message)
}

/** As the official reader: null is the same as absent. */
function readMetadata(value: HeaderValue | undefined): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (!(value instanceof Map)) throw new SafetensorsError(`${METADATA} is not an object; expected texts by name`)
  const metadata: Record<string, string> = {}
  for (const [name, text] of value) {
    if (typeof text !== 'string') throw new SafetensorsError(`${METADATA} entry ${quote(name)} is not a text`)
    checkName(name)
    metadata[name] = text
  }
  return metadata
}

function copy(data: Uint8Array, dtype: SafetensorsDtype, begin: number, end: number): Safetensor['data'] {
  // A copy, because the element type may want an alignment that the file does not have.
  const { buffer } = new Uint8Array(data.subarray(begin, end))
  return new DTYPES[dtype].array(buffer)
}
