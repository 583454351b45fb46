import { isTypedArray } from '@rowwise/host'
import type { Safetensor, SafetensorsDtype } from '@rowwise/safetensors'
import { CheckpointReadError, TrainOptionError } from '../errors'

/** Data without behaviour (what JSON has, bigints, typed arrays, every number) as it lies in a safetensors file. */
export interface Packed {
  /** Refers to arrays by name. */
  json: string
  arrays: Record<string, Safetensor>
}

const ARRAYS = { F32: 'Float32Array', F64: 'Float64Array', I32: 'Int32Array', U8: 'Uint8Array' } as const

/** Takes plain data apart; `name` is what its arrays' names begin with. */
export function pack(value: unknown, name: string): Packed {
  const arrays: Record<string, Safetensor> = {}
  const visit = (item: unknown, path: string): unknown => {
    if (item === null || typeof item === 'boolean' || typeof item === 'string') return item
    if (typeof item === 'bigint') return { $bigint: String(item) }
    if (typeof item === 'number') {
      return Number.isFinite(item) && !Object.is(item, -0) ? item : { $number: Object.is(item, -0) ? '-0' : `${item}` }
    }
    const dtype = dtypeOf(item)
    if (dtype) {
      const data = item as Safetensor['data']
      arrays[path] = { dtype, shape: [data.length], data } as Safetensor
      return { $array: path }
    }
    if (Array.isArray(item)) return item.map((element, index) => visit(element, `${path}.${index}`))
    if (typeof item === 'object' && isPlain(item)) {
      const entries = Object.entries(item).filter(([, field]) => field !== undefined)
      return Object.fromEntries(entries.map(([key, field]) => [key, visit(field, `${path}.${key}`)]))
    }
    throw new TrainOptionError(`${path} is ${String(item)}, expected plain data: it cannot be saved in a checkpoint`)
  }
  return { json: JSON.stringify(visit(value, name)), arrays }
}

/** Puts together what {@link pack} took apart. */
export function unpack({ json, arrays }: Packed): unknown {
  const visit = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(visit)
    if (item === null || typeof item !== 'object') return item
    const { $bigint, $number, $array } = item as Record<string, string>
    if (typeof $bigint === 'string' && /^-?\d{1,100}$/.test($bigint)) return BigInt($bigint)
    if (typeof $number === 'string') return Number($number)
    if (typeof $array === 'string') {
      if (Object.hasOwn(arrays, $array)) return arrays[$array].data
      throw new CheckpointReadError(`the array ${$array} is missing; the checkpoint was altered`)
    }
    return Object.fromEntries(Object.entries(item).map(([key, field]) => [key, visit(field)]))
  }
  return visit(JSON.parse(json))
}

function dtypeOf(value: unknown): SafetensorsDtype | undefined {
  // Node's Buffer is a Uint8Array too, and comes back as one.
  const found = Object.entries(ARRAYS).find(([, array]) => isTypedArray(value, array))
  return found?.[0] as SafetensorsDtype | undefined
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !Object.keys(value).some((key) => key[0] === '$')
}
