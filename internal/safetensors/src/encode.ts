import { encodeUtf8 } from '@rowwise/host'
import { Tensor } from '@tensorflow/tfjs-core'
import { byteLength, DTYPES, isDtype, type Safetensor, type SafetensorsDtype } from './dtypes'
import { SafetensorsError } from './error'
import { FORBIDDEN_NAMES, MAX_HEADER_BYTES, MAX_NAME_LENGTH, MAX_TENSORS } from './limits'
import { describeValue, quote, showName } from './show'
import type { ArrayWithShape, StateDict } from './tensors'

const BROKEN_UNICODE = /\p{Surrogate}/u // half a surrogate pair: readers refuse it
const ALIGNMENT = 8 // the data begins on a multiple of this, so that a reader can map it

/**
 * Writes tensors as a safetensors file that PyTorch and our reader load; plain arrays and tensors are float32.
 *
 * @param tensors by name; the order is kept
 * @param metadata free texts for the header's `__metadata__`
 * @throws {@link SafetensorsError} when a name, shape, dtype or metadata text cannot be written, or a tensor was disposed.
 * @example
 * ```ts
 * await writeFile('model.safetensors', encodeSafetensors(model.stateDict(), { format: 'pt' }))
 * ```
 */
export function encodeSafetensors(
  tensors: StateDict | Readonly<Record<string, Safetensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).map(([name, value]) => toEntry(name, value))
  if (entries.length > MAX_TENSORS) {
    throw new SafetensorsError(`${entries.length} tensors, the limit is ${MAX_TENSORS}; write several files`)
  }
  const header = encodeHeader(entries, metadata)
  const bytes = new Uint8Array(8 + header.length + entries.reduce((sum, { data }) => sum + data.length, 0))
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
  bytes.set(header, 8)
  let at = 8 + header.length
  for (const { data } of entries) {
    bytes.set(data, at)
    at += data.length
  }
  return bytes
}

interface Entry {
  name: string
  dtype: SafetensorsDtype
  shape: readonly number[]
  data: Uint8Array
}

function toEntry(name: string, value: StateDict[string] | Safetensor): Entry {
  checkName(name)
  if (!(value instanceof Tensor) && !Array.isArray((value as ArrayWithShape | undefined)?.shape)) {
    throw new SafetensorsError(`${showName(name)} is ${describeValue(value)}, expected a tensor or { shape, data }`)
  }
  const { shape } = value
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new SafetensorsError(`${showName(name)} has shape [${shape}], expected whole numbers`)
  }
  const { dtype, data } = elementsOf(name, value)
  if (byteLength(dtype, shape) !== BigInt(data.byteLength)) {
    const size = shape.reduce((product, length) => product * length, 1)
    throw new SafetensorsError(
      `${showName(name)} has shape [${shape}] but ${data.length} elements; expected ${size} of ${DTYPES[dtype].bits} bits`,
    )
  }
  return { name, dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
}

function elementsOf(
  name: string,
  value: StateDict[string] | Safetensor,
): { dtype: SafetensorsDtype; data: Safetensor['data'] } {
  if (value instanceof Tensor) {
    if (value.isDisposed)
      throw new SafetensorsError(`${showName(name)} is a disposed tensor; encode before disposing it`)
    const dtype = ({ float32: 'F32', int32: 'I32', bool: 'BOOL' } as const)[value.dtype as 'float32' | 'int32' | 'bool']
    if (dtype === undefined) {
      throw new SafetensorsError(`${showName(name)} is ${value.dtype}, expected float32, int32 or bool`)
    }
    return { dtype, data: value.dataSync() as Safetensor['data'] }
  }
  const { data } = value
  const dtype = value.dtype ?? (kindOf(data) === 'Float64Array' ? 'F64' : 'F32')
  if (!isDtype(dtype) || kindOf(data) !== DTYPES[dtype].array.name) {
    throw new SafetensorsError(
      `${showName(name)} has dtype ${String(dtype)} but its elements are ${kindOf(data)}; ` +
        `expected ${isDtype(dtype) ? DTYPES[dtype].array.name : `one of ${Object.keys(DTYPES).join(', ')}`}`,
    )
  }
  return { dtype, data }
}

/** Its class by name: an array of another realm has another class of the same name. */
function kindOf(data: unknown): string {
  return Object.prototype.toString.call(data).slice(8, -1)
}

function encodeHeader(entries: Entry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  for (const [name, text] of Object.entries(metadata)) {
    checkName(name)
    if (typeof text !== 'string' || BROKEN_UNICODE.test(text)) {
      throw new SafetensorsError(
        `the metadata's ${showName(name)} is ${describeValue(text)}, expected a text of whole characters`,
      )
    }
  }
  let at = 0
  const fields = entries.map(({ name, dtype, shape, data }) => {
    const data_offsets = [at, at + data.length]
    at += data.length
    return [name, { dtype, shape, data_offsets }] as const
  })
  const named = Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const, ...fields] : fields
  const header = encodeUtf8(JSON.stringify(Object.fromEntries(named)))
  if (header.length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(`the header has ${header.length} bytes, the limit is ${MAX_HEADER_BYTES}`)
  }
  const padded = new Uint8Array(Math.ceil(header.length / ALIGNMENT) * ALIGNMENT).fill(0x20)
  padded.set(header)
  return padded
}

function checkName(name: string): void {
  const isDangerous = FORBIDDEN_NAMES.has(name) || name === '__metadata__' || name.length > MAX_NAME_LENGTH
  if (isDangerous || BROKEN_UNICODE.test(name)) {
    throw new SafetensorsError(`${quote(name)} is not allowed as a name`)
  }
}
