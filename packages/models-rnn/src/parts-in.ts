import { Variable } from '@tensorflow/tfjs-core'

/** Marks modules, of every copy of this package. */
export const BRAND = Symbol.for('@rowwise/module')

/** Whether a value is a module, of this copy of the package or another. */
export function isModule(value: unknown): value is object {
  return typeof value === 'object' && value !== null && BRAND in value
}

/** The modules and variables in a field: itself, or in an array, an object, a Map or a Set. */
export function partsIn(value: unknown, seen: Set<unknown>): object[] {
  if (isModule(value) || value instanceof Variable) return [value]
  if (typeof value !== 'object' || value === null || seen.has(value)) return []
  seen.add(value)
  const isPlain = Object.getPrototypeOf(value) === Object.prototype
  if (isPlain) return Object.values(value).flatMap((item) => partsIn(item, seen))
  const isContainer = Array.isArray(value) || value instanceof Map || value instanceof Set
  return isContainer ? [...value.values()].flatMap((item) => partsIn(item, seen)) : []
}
