import { byteLength, DTYPES, isDtype, type SafetensorsDtype } from './dtypes'
import { SafetensorsError } from './error'
import type { HeaderValue } from './header-json'
import { FORBIDDEN_NAMES, MAX_NAME_LENGTH, MAX_RANK } from './limits'
import { quote } from './show'

/** Where a tensor is in the data, and how it is to be read. */
export interface Layout {
  name: string
  dtype: SafetensorsDtype
  shape: number[]
  /** Its first byte. */
  begin: number
  /** The byte after its last. */
  end: number
}

/**
 * Reads a tensor's entry of the header. Fields beside dtype, shape and data_offsets are passed over, as the official reader
 * does; that reader also takes an entry written as a list, which the format does not have, and this one does not.
 */
export function readLayout(name: string, entry: HeaderValue): Layout {
  checkName(name)
  if (!(entry instanceof Map)) throw fault(name, `has an entry that is ${show(entry)}`, 'an object')
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((field) => entry.get(field))
  if (!isDtype(dtype)) {
    throw fault(name, has('dtype', dtype), `one of ${Object.keys(DTYPES).join(', ')}`)
  }
  if (!isIntegers(shape)) throw fault(name, has('shape', shape), 'a list of whole numbers')
  if (shape.length > MAX_RANK) throw fault(name, `has ${shape.length} axes`, `at most ${MAX_RANK}`)
  if (!isIntegers(offsets) || offsets.length !== 2) {
    throw fault(name, has('data_offsets', offsets), 'two whole numbers [begin, end]')
  }
  const [begin, end] = offsets
  const bytes = byteLength(dtype, shape)
  if (bytes === undefined || BigInt(begin) + bytes !== BigInt(end)) {
    const needed = bytes === undefined ? 'does not end on a whole byte below 2^64' : `needs ${bytes} bytes`
    throw new SafetensorsError(
      `${quote(name)}: ${dtype} of shape [${shape.slice(0, 8)}] ${needed}, its data_offsets are [${begin}, ${end}]`,
    )
  }
  return { name, dtype, shape, begin, end }
}

/** Makes sure that every byte of the data belongs to exactly one tensor; the layouts come in the order of their data. */
export function checkCoverage(layouts: readonly Layout[], dataBytes: number): void {
  let covered = 0
  for (const { name, begin, end } of layouts) {
    if (begin !== covered) {
      const gap = begin < covered ? 'overlaps the tensor before it' : 'leaves a hole'
      throw new SafetensorsError(`${quote(name)} begins at ${begin}, which ${gap}: expected ${covered}`)
    }
    covered = end
  }
  if (covered !== dataBytes) {
    throw new SafetensorsError(
      `the tensors end at byte ${covered} of the data, the file has ${dataBytes}; it was cut or extended, so fetch it again`,
    )
  }
}

/** Refuses names that are dangerous as keys, or very long. */
export function checkName(name: string): void {
  if (FORBIDDEN_NAMES.has(name) || name.length > MAX_NAME_LENGTH) {
    throw new SafetensorsError(`${quote(name)} is not allowed as a name`)
  }
}

function fault(name: string, found: string, expected: string): SafetensorsError {
  return new SafetensorsError(`${quote(name)} ${found}, expected ${expected}`)
}

function isIntegers(value: HeaderValue | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number' && !Number.isNaN(item))
}

function has(field: string, value: HeaderValue | undefined): string {
  return value === undefined ? `has no ${field}` : `has the ${field} ${show(value)}`
}

function show(value: HeaderValue): string {
  if (value instanceof Map) return 'an object'
  if (Array.isArray(value)) {
    return `[${value.slice(0, 8).map((item) => (Array.isArray(item) ? 'a list' : show(item)))}]`
  }
  if (typeof value === 'string') return quote(value)
  return Number.isNaN(value) ? '(not a plain integer below 2^53)' : String(value)
}
