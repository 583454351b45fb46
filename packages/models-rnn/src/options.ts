import { refuseUnknownOptions } from '@rowwise/errors'
import { describeValue } from '@rowwise/safetensors'
import { Generator } from '@rowwise/torch-random'
import { ModuleOptionError } from './errors'

/** What an option may be, and what it is when it is absent. */
export interface Rule<T> {
  readonly expected: string
  allows(value: unknown): boolean
  absent?(): T
}

/** The rules of all options of a kind. */
export type Rules<Options> = { readonly [Name in keyof Required<Options>]: Rule<Options[Name]> }

/** Whole numbers from `least` on; wanted without `absent`. */
export const integer = (least: number, absent?: number): Rule<number> => ({
  expected: `an integer of at least ${least}`,
  allows: (value) => Number.isSafeInteger(value) && (value as number) >= least,
  ...(absent !== undefined && { absent: () => absent }),
})

/** True or false. */
export const flag = (absent: boolean): Rule<boolean> => ({
  expected: 'true or false',
  allows: (value) => typeof value === 'boolean',
  absent: () => absent,
})

/** One of some texts, the first when absent. */
export const oneOf = <T extends string>(...texts: [T, ...T[]]): Rule<T> => ({
  expected: texts.map((text) => `'${text}'`).join(' or '),
  allows: (value) => texts.includes(value as T),
  absent: () => texts[0],
})

/** Numbers over 0. */
export const positive = (absent: number): Rule<number> => ({
  expected: 'a number over 0',
  allows: (value) => typeof value === 'number' && value > 0 && Number.isFinite(value),
  absent: () => absent,
})

/** Probabilities of zeroing an element. */
export const dropoutRate = (absent: number): Rule<number> => ({
  expected: 'a probability from 0 up to, not including, 1',
  allows: (value) => typeof value === 'number' && value >= 0 && value < 1,
  absent: () => absent,
})

/** A generator of `@rowwise/torch-random`, or one like it. */
export const GENERATOR: Rule<Generator> = {
  expected: 'a Generator of @rowwise/torch-random, e.g. new Generator(0)',
  allows: (value) => typeof (value as Generator | null)?.uniform === 'function',
  absent: () => new Generator(),
}

/** What may be left out. */
export const optional = <T>({ expected, allows }: Rule<T>): Rule<T | undefined> => ({
  expected,
  allows: (value) => value === undefined || allows(value),
})

/** What is checked where it is used. */
export const unchecked = <T>(): Rule<T> => ({ expected: '', allows: () => true })

/** Throws a {@link ModuleOptionError} unless a value is what a rule allows. */
export function requireOption(owner: string, name: string, value: unknown, rule: Rule<unknown>): void {
  if (rule.allows(value)) return
  throw new ModuleOptionError(`${owner}: ${name} is ${describeValue(value)}, expected ${rule.expected}`)
}

/** Options with what is absent filled in. */
export type Read<Known> = { readonly [Name in keyof Known]: Known[Name] extends Rule<infer T> ? T : never }

/**
 * Options with what is absent filled in.
 *
 * @param owner whose they are, for messages
 * @param caller what they were given to
 * @throws {@link ModuleOptionError} that names the first which is unknown or not allowed.
 */
export function readOptions<Known extends Readonly<Record<string, Rule<unknown>>>>(
  owner: string,
  options: object,
  rules: Known,
  caller = `new ${owner}()`,
): Read<Known> {
  const known = Object.fromEntries(Object.keys(rules).map((name) => [name, true as const]))
  refuseUnknownOptions<object>(caller, options, known, ModuleOptionError)
  const values = Object.entries(rules).map(([name, rule]) => {
    const given = (options as Record<string, unknown>)[name]
    const value = given === undefined ? rule.absent?.() : given
    requireOption(owner, name, value, rule)
    return [name, value]
  })
  return Object.fromEntries(values) as Read<Known>
}
