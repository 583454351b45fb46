import { Tensor } from '@tensorflow/tfjs-core'
import { DTYPES, type Safetensor, type SafetensorsDtype } from './dtypes'
import { SafetensorsError } from './error'
import { FORBIDDEN_NAMES, MAX_HEADER_BYTES, MAX_NAME_LENGTH, MAX_TENSORS } from './limits'
import type { StateDict } from './tensors'

const ALIGNMENT = 8 // the data begins on a multiple of this, so that a reader can map it

/**
 * Writes tensors as a safetensors file that PyTorch and our reader load; plain arrays and tensors are float32.
 *
 * @param tensors by name; the order is kept
 * @param metadata free texts for the header's `__metadata__`
 * @throws {@link SafetensorsError} when a name, shape or dtype cannot be written.
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
  const { dtype, data } = elementsOf(name, value)
  const { shape } = value
  const size = shape.reduce((product, length) => product * length, 1)
  if (size !== data.length) {
    throw new SafetensorsError(`${name} has shape [${shape}] but ${data.length} elements; expected ${size}`)
  }
  return { name, dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
}

function elementsOf(
  name: string,
  value: StateDict[string] | Safetensor,
): { dtype: SafetensorsDtype; data: Safetensor['data'] } {
  if (value instanceof Tensor) {
    const dtype = ({ float32: 'F32', int32: 'I32', bool: 'BOOL' } as const)[value.dtype as 'float32' | 'int32' | 'bool']
    if (dtype === undefined) throw new SafetensorsError(`${name} is ${value.dtype}, expected float32, int32 or bool`)
    return { dtype, data: value.dataSync() as Safetensor['data'] }
  }
  const { data } = value
  const dtype = 'dtype' in value ? (value.dtype as SafetensorsDtype) : data instanceof Float64Array ? 'F64' : 'F32'
  if (!(data instanceof (DTYPES[dtype]?.array ?? Array))) {
    throw new SafetensorsError(`${name} has dtype ${dtype} but its elements are ${data?.constructor.name}`)
  }
  return { dtype, data: data as Safetensor['data'] }
}

function encodeHeader(entries: Entry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  for (const name of Object.keys(metadata)) checkName(name)
  let at = 0
  const fields = entries.map(({ name, dtype, shape, data }) => {
    const data_offsets = [at, at + data.length]
    at += data.length
    return [name, { dtype, shape, data_offsets }] as const
  })
  const named = Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const, ...fields] : fields
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(named)))
  if (header.length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(`the header has ${header.length} bytes, the limit is ${MAX_HEADER_BYTES}`)
  }
  const padded = new Uint8Array(Math.ceil(header.length / ALIGNMENT) * ALIGNMENT).fill(0x20)
  padded.set(header)
  return padded
}

function checkName(name: string): void {
  if (FORBIDDEN_NAMES.has(name) || name === '__metadata__' || name.length > MAX_NAME_LENGTH) {
    throw new SafetensorsError(`${JSON.stringify(name.slice(0, 100))} is not allowed as a name`)
  }
}
