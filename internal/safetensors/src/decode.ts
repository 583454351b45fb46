import { DTYPES, type Safetensor, type SafetensorsDtype } from './dtypes'
import { SafetensorsError } from './error'
import { type HeaderValue, parseHeaderJson } from './header-json'
import { FORBIDDEN_NAMES, MAX_HEADER_BYTES, MAX_NAME_LENGTH, MAX_RANK, MAX_TENSORS } from './limits'

/** The content of a safetensors file. */
export interface SafetensorsFile {
  /** Tensors by name, in the order of their data. */
  tensors: Record<string, Safetensor>
  /** The free text entries under `__metadata__`; empty when there are none. */
  metadata: Record<string, string>
}

const LENGTH_BYTES = 8
const METADATA = '__metadata__'

/**
 * Reads a safetensors file, strictly: every byte of the data belongs to exactly one tensor, every size adds up, and no
 * limit of the header is exceeded. Nothing is allocated before all of that holds.
 *
 * @throws {@link SafetensorsError} that names the tensor and the field, what was found and what was expected.
 * @example
 * ```ts
 * const { tensors, metadata } = decodeSafetensors(await readFile('model.safetensors'))
 * tensors['fc_1.bias'] // { dtype: 'F32', shape: [10], data: Float32Array(10) }
 * ```
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, data } = splitFile(bytes)
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

interface Layout {
  name: string
  dtype: SafetensorsDtype
  shape: number[]
  begin: number
  end: number
}

function splitFile(bytes: Uint8Array): { header: string; data: Uint8Array } {
  if (bytes.length < LENGTH_BYTES) {
    throw new SafetensorsError(
      `the file has ${bytes.length} bytes, fewer than the 8 of its header length; fetch it again`,
    )
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true)
  if (length < 2n || length > BigInt(MAX_HEADER_BYTES) || length > BigInt(bytes.length - LENGTH_BYTES)) {
    throw new SafetensorsError(
      `the header length is ${length}, expected 2 to ${Math.min(MAX_HEADER_BYTES, bytes.length - LENGTH_BYTES)}; ` +
        'is it a safetensors file?',
    )
  }
  const dataAt = LENGTH_BYTES + Number(length)
  const encoded = bytes.subarray(LENGTH_BYTES, dataAt)
  if (encoded[0] !== 0x7b) throw new SafetensorsError("the header does not begin with '{'; is it a safetensors file?")
  try {
    return { header: new TextDecoder('utf-8', { fatal: true }).decode(encoded), data: bytes.subarray(dataAt) }
  } catch (cause) {
    throw new SafetensorsError('the header is no valid UTF-8; the file was damaged, so fetch it again', { cause })
  }
}

function readMetadata(value: HeaderValue | undefined): Record<string, string> {
  if (value === undefined) return {}
  if (!(value instanceof Map)) throw new SafetensorsError(`${METADATA} is no object; expected texts by name`)
  const metadata: Record<string, string> = {}
  for (const [name, text] of value) {
    if (typeof text !== 'string') throw new SafetensorsError(`${METADATA} entry ${show(name)} is no text`)
    checkName(name)
    metadata[name] = text
  }
  return metadata
}

function readLayout(name: string, value: HeaderValue): Layout {
  checkName(name)
  const fields = value instanceof Map ? value : new Map<string, HeaderValue>()
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((field) => fields.get(field))
  if (fields.size !== 3 || !isDtype(dtype) || !isIntegers(shape) || !isIntegers(offsets) || offsets.length !== 2) {
    const found = typeof dtype === 'string' && !isDtype(dtype) ? `unknown dtype ${show(dtype)}` : 'malformed fields'
    throw new SafetensorsError(`${show(name)} has ${found}, expected just dtype, shape and data_offsets [begin, end]`)
  }
  if (shape.length > MAX_RANK) {
    throw new SafetensorsError(`${show(name)} has ${shape.length} axes, the limit is ${MAX_RANK}`)
  }
  const [begin, end] = offsets
  const expected = shape.reduce((product, size) => product * size, DTYPES[dtype].bytes)
  // A product past 2^53 loses digits, so that a wrong one could pass for the right one.
  if (expected > Number.MAX_SAFE_INTEGER || begin + expected !== end) {
    throw new SafetensorsError(
      `${show(name)}: ${dtype} of shape [${shape.slice(0, 8)}] needs ${expected} bytes, its data_offsets are [${begin}, ${end}]`,
    )
  }
  return { name, dtype, shape, begin, end }
}

function checkCoverage(layouts: Layout[], dataBytes: number): void {
  let covered = 0
  for (const { name, begin, end } of layouts) {
    if (begin !== covered) {
      const fault = begin < covered ? 'overlaps the tensor before it' : 'leaves a hole'
      throw new SafetensorsError(`${show(name)} begins at ${begin}, which ${fault}: expected ${covered}`)
    }
    covered = end
  }
  if (covered !== dataBytes) {
    throw new SafetensorsError(
      `the tensors end at byte ${covered} of the data, the file has ${dataBytes}; it was cut or extended, so fetch it again`,
    )
  }
}

function checkName(name: string): void {
  if (FORBIDDEN_NAMES.has(name) || name.length > MAX_NAME_LENGTH) {
    throw new SafetensorsError(`${show(name)} is not allowed as a name`)
  }
}

function copy(data: Uint8Array, dtype: SafetensorsDtype, begin: number, end: number): Safetensor['data'] {
  // A copy, because the element type may want an alignment that the file does not have.
  const { buffer } = Uint8Array.from(data.subarray(begin, end))
  return new DTYPES[dtype].array(buffer)
}

function isDtype(value: HeaderValue | undefined): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(DTYPES, value)
}

function isIntegers(value: HeaderValue | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number')
}

function show(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}
