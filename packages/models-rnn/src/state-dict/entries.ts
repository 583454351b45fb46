import { hostValues } from '@rowwise/host-values'
import {
  byteLength,
  DTYPES,
  describeValue,
  type FloatDtype,
  isDtype,
  type Safetensor,
  type SafetensorsDtype,
  type StateDict,
  toFloat32,
} from '@rowwise/safetensors'
import { Tensor } from '@tensorflow/tfjs-core'
import { StateDictError } from '../errors'

/** One tensor of a state dict, of whose values none has been read yet. */
export interface Entry {
  readonly shape: readonly number[]
  /** The element type, as TensorFlow.js or the file calls it. */
  readonly dtype: string
  /** Reads the values as float32, perhaps in memory of the state dict; absent unless they are floats of 16 bits or more. */
  readonly floats?: () => Float32Array
  /** Why this is no tensor to load, as a sentence without its subject. */
  readonly problem?: string
}

const FLOATS: readonly string[] = ['F16', 'BF16', 'F32', 'F64'] satisfies FloatDtype[]

/** Element types of arrays that come without one. */
const DTYPE_OF_ARRAY = new Map<string, SafetensorsDtype>([
  ['Float32Array', 'F32'],
  ['Float64Array', 'F64'],
  ['Int32Array', 'I32'],
  ['Uint32Array', 'U32'],
  ['Int16Array', 'I16'],
  ['Uint16Array', 'U16'],
  ['Int8Array', 'I8'],
  ['Uint8Array', 'U8'],
  ['BigInt64Array', 'I64'],
  ['BigUint64Array', 'U64'],
])

/**
 * The tensors of a state dict by name. What is wrong with one of them stands in its entry, because it matters only if the
 * model wants it.
 *
 * @throws {@link StateDictError} when it is no state dict at all.
 */
export function readEntries(stateDict: StateDict): Map<string, Entry> {
  const kind = kindOf(stateDict)
  if (kind !== 'Object' || stateDict instanceof Tensor) {
    throw new StateDictError(
      `the state dict is ${describeValue(stateDict)}, expected an object of tensors by name; ${adviceFor(kind)}`,
    )
  }
  if (kindOf(stateDict.tensors) === 'Object' && kindOf(stateDict.metadata) === 'Object') {
    throw new StateDictError(
      'the state dict is what decodeSafetensors returns; pass its tensors: decodeSafetensors(…).tensors',
    )
  }
  return new Map(Object.entries(stateDict).map(([name, value]) => [name, readEntry(value)]))
}

function adviceFor(kind: string): string {
  if (kind === 'Uint8Array' || kind === 'ArrayBuffer') return 'decode the file first: decodeSafetensors(bytes).tensors'
  if (kind === 'String' || kind === 'URL')
    return 'read and decode the file first: decodeSafetensors(await readFile(…)).tensors'
  if (kind === 'Map') return 'pass Object.fromEntries(map)'
  if (kind === 'Promise') return 'await it first'
  return "pass what a model's stateDict() or decodeSafetensors(bytes).tensors returns"
}

function readEntry(value: unknown): Entry {
  if (value instanceof Tensor) return readTensor(value)
  const { shape, data, dtype: given } = (value ?? {}) as Partial<Safetensor>
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    return wrong(`is ${describeValue(value)}, expected a tensor or { shape, data }`)
  }
  const dtype = given ?? DTYPE_OF_ARRAY.get(kindOf(data))
  if (given !== undefined && !isDtype(given)) {
    return wrong(`has the dtype ${describeValue(given)}, expected F32 or another of safetensors`, shape)
  }
  if (!isDtype(dtype)) {
    return wrong(`has data that is ${describeValue(data)}, expected a Float32Array`, shape)
  }
  const array = DTYPES[dtype].array.name
  if (kindOf(data) !== array)
    return wrong(`is ${dtype} but its data is ${describeValue(data)}, expected ${array}`, shape)
  const values = data as Safetensor['data']
  if (byteLength(dtype, shape) !== BigInt(values.byteLength)) {
    return wrong(`has shape [${shape}] but ${values.length} elements`, shape)
  }
  if (!FLOATS.includes(dtype)) return { shape, dtype }
  return { shape, dtype, floats: () => toFloat32(dtype as FloatDtype, values as Float32Array & Uint16Array) }
}

function readTensor(tensor: Tensor): Entry {
  const { shape, dtype } = tensor
  if (tensor.isDisposed) return wrong('is a disposed tensor; load it before it is disposed', shape)
  return dtype === 'float32' ? { shape, dtype, floats: () => readValues(tensor) } : { shape, dtype }
}

function readValues(tensor: Tensor): Float32Array {
  try {
    return hostValues(tensor) ?? tensor.dataSync<'float32'>()
  } catch (cause) {
    throw new StateDictError(
      `a tensor [${tensor.shape}] of the state dict cannot be read: ${(cause as Error).message}; pass its values as { shape, data }`,
      { cause },
    )
  }
}

function wrong(problem: string, shape: readonly number[] = []): Entry {
  return { shape, dtype: 'unknown', problem }
}

function isSize(size: unknown): boolean {
  return Number.isSafeInteger(size) && (size as number) >= 0
}

/** A value's class by name: one of another realm (jsdom, a vm context) is another class of the same name. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}
