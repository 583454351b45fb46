import { SweepDefinitionError } from './errors'

/** A value of a hyper-parameter. */
export type Value = string | number | boolean | null

/** One value per name. */
export type Config = Readonly<Record<string, Value>>

/** Where a value is looked for, as plain data, so that it can be written as JSON. */
export type Dimension = Choice | Uniform | LogUniform | Int

/** Some values; see {@link choice}. */
export interface Choice {
  /** The values, which differ. */
  readonly choice: readonly Value[]
}

/** An interval; see {@link uniform}. */
export interface Uniform {
  /** Its ends. */
  readonly uniform: readonly [low: number, high: number]
}

/** An interval of logarithms; see {@link logUniform}. */
export interface LogUniform {
  /** Its ends, over 0. */
  readonly logUniform: readonly [low: number, high: number]
}

/** Whole numbers; see {@link int}. */
export interface Int {
  /** The first and the last. */
  readonly int: readonly [low: number, high: number]
}

/** What is searched: a dimension per name. Their order does not matter: they are taken by name. */
export type Space = Readonly<Record<string, Dimension>>

/**
 * One of these values, each as likely as the others.
 *
 * @example
 * ```ts
 * const space = { hiddenSize: choice([32, 64, 128]), lr: logUniform(1e-4, 1e-2) }
 * ```
 */
export function choice(values: readonly Value[]): Dimension {
  return { choice: values }
}

/** A number from [low, high), each as likely as the others. */
export function uniform(low: number, high: number): Dimension {
  return { uniform: [low, high] }
}

/** A number from [low, high) whose logarithm is uniform; `low` is over 0. */
export function logUniform(low: number, high: number): Dimension {
  return { logUniform: [low, high] }
}

/** A whole number from `low` to `high`, both included. */
export function int(low: number, high: number): Dimension {
  return { int: [low, high] }
}

/** More would be a mistake, and Sobol's numbers are known here for so many. */
export const MAX_DIMENSIONS = 21

const MAX_CHOICES = 10_000
const MAX_NAME_LENGTH = 100

/** @throws {@link SweepDefinitionError} that names the dimension. */
export function checkSpace(space: unknown): asserts space is Space {
  if (typeof space !== 'object' || space === null || Array.isArray(space) || Object.keys(space).length === 0) {
    throw new SweepDefinitionError(
      `space is ${show(space)}, expected an object with a dimension per hyper-parameter, such as { lr: { logUniform: [1e-4, 1e-2] } }`,
    )
  }
  const entries = Object.entries(space)
  if (entries.length > MAX_DIMENSIONS) {
    throw new SweepDefinitionError(`space has ${entries.length} dimensions, at most ${MAX_DIMENSIONS} can be searched`)
  }
  for (const [name, dimension] of entries) checkDimension(name, dimension)
}

function checkDimension(name: string, dimension: unknown): void {
  const wrong = (expected: string): never => {
    throw new SweepDefinitionError(`space.${name} is ${show(dimension)}, expected ${expected}`)
  }
  if (!/^[A-Za-z][\w.-]*$/.test(name) || name.length > MAX_NAME_LENGTH) {
    throw new SweepDefinitionError(`space has the name ${show(name)}, expected letters, digits, '.', '_' and '-'`)
  }
  const kinds = typeof dimension === 'object' && dimension !== null ? Object.keys(dimension) : []
  const [kind] = kinds
  if (kinds.length !== 1 || !['choice', 'uniform', 'logUniform', 'int'].includes(kind)) {
    wrong('one of { choice: […] }, { uniform: [low, high] }, { logUniform: [low, high] }, { int: [low, high] }')
  }
  const range = (dimension as Record<string, unknown>)[kind]
  if (kind === 'choice') {
    if (!Array.isArray(range) || range.length === 0 || range.length > MAX_CHOICES || !range.every(isValue)) {
      wrong(`1 to ${MAX_CHOICES} values, each text, a finite number, true, false or null`)
    }
    if (new Set(range as Value[]).size !== (range as Value[]).length) wrong('different values')
    return
  }
  if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isFinite)) wrong('two finite numbers')
  const [low, high] = range as [number, number]
  if (kind === 'int' && !(Number.isSafeInteger(low) && Number.isSafeInteger(high) && low <= high)) {
    wrong('two whole numbers, the first at most the second')
  }
  if (kind === 'int' && !Number.isSafeInteger(high - low + 1)) wrong('fewer than 2^53 values')
  if (kind !== 'int' && !(low < high && Number.isFinite(high - low))) wrong('a first number under the second')
  if (kind === 'logUniform' && !(low > 0)) wrong('numbers over 0')
}

/** Whether something can be the value of a hyper-parameter. */
export function isValue(value: unknown): value is Value {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

/** The value at `u` of [0, 1): the inverse of the dimension's distribution function. */
export function valueAt(dimension: Dimension, u: number): Value {
  if ('choice' in dimension) return dimension.choice[Math.floor(u * dimension.choice.length)]
  if ('uniform' in dimension) {
    const [low, high] = dimension.uniform
    return low + u * (high - low)
  }
  if ('logUniform' in dimension) {
    const [low, high] = dimension.logUniform
    return Math.min(high, Math.max(low, Math.exp(Math.log(low) + u * (Math.log(high) - Math.log(low)))))
  }
  const [low, high] = dimension.int
  return low + Math.floor(u * (high - low + 1))
}

/** All values of a dimension; null where they are not finitely many. */
export function valuesOf(dimension: Dimension): readonly Value[] | null {
  if ('choice' in dimension) return dimension.choice
  if (!('int' in dimension)) return null
  const [low, high] = dimension.int
  return high - low >= MAX_CHOICES ? null : Array.from({ length: high - low + 1 }, (_, k) => low + k)
}

/** Where a value stands in its dimension, in [0, 1]: for pictures and importances. */
export function positionOf(dimension: Dimension, value: Value): number {
  if ('choice' in dimension) {
    return dimension.choice.length === 1 ? 0.5 : dimension.choice.indexOf(value) / (dimension.choice.length - 1)
  }
  const [low, high] =
    'uniform' in dimension ? dimension.uniform : 'int' in dimension ? dimension.int : dimension.logUniform
  if (high === low) return 0.5
  const scale = 'logUniform' in dimension ? Math.log : Number
  return (scale(Number(value)) - scale(low)) / (scale(high) - scale(low))
}

/** A value in a message, cut. */
export function show(value: unknown): string {
  const text = textOf(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return String(value) // JSON has null for NaN
  if (typeof value === 'function') return 'a function'
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Array.isArray(value) ? 'an array' : 'an object' // which is within itself, or has a bigint
  }
}
