import { type StateDict, showName, showNames } from '@rowwise/safetensors'
import { StateDictError } from '../errors'
import type { ParameterSizes } from '../parameter-sizes'
import { describeCell } from './cell-kind'
import { type Entry, readEntries } from './entries'
import type { LoadStateDictOptions } from './load-options'
import { type NamedEntries, nameEntries } from './name-entries'
import { showRename } from './rename'
import { suggestRename } from './suggest-rename'
import { withoutWrappers } from './wrappers'

/** What {@link fitStateDict} makes of a state dict. */
export interface FittedWeights {
  /** Float32 values by the model's names, perhaps in memory of the state dict. */
  values: Map<string, Float32Array>
  /** What a person should know, a line each. */
  notes: string[]
}

/**
 * Finds a model's parameters in a state dict and checks all of them.
 *
 * @param owner the model's class, for messages
 * @param expected the model's parameters
 * @param areOne whether two names are of one parameter, which modules share
 * @throws {@link StateDictError} that lists every missing and unexpected name, every wrong shape and every value that cannot
 * be loaded.
 */
export function fitStateDict(
  owner: string,
  expected: ParameterSizes,
  stateDict: StateDict,
  options: LoadStateDictOptions,
  areOne: (name: string, other: string) => boolean = () => false,
): FittedWeights {
  const { strict = true, allowNonFinite = false } = options
  const entries = readEntries(stateDict)
  const named = nameEntries(entries, new Set(Object.keys(expected)), options.rename)
  const found = [...named.matched.keys()]
  const missing = Object.keys(expected).filter(
    (name) => !named.matched.has(name) && !found.some((other) => areOne(name, other)),
  )
  const unexpected = [...named.others].filter(([, { floats, problem }]) => floats || problem).map(([name]) => name)
  const values = new Map<string, Float32Array>()
  const problems = [
    ...(strict && missing.length > 0 ? [`missing ${showNames(missing)}`] : []),
    ...(strict && unexpected.length > 0 ? [`unexpected ${showNames(unexpected)}`] : []),
  ]
  for (const [name, entry] of named.matched) {
    const problem = entry.problem ?? shapeProblem(name, entry, expected[name].shape)
    const loaded = problem === undefined ? (entry.floats as () => Float32Array)() : new Float32Array(0)
    const isRefused = !allowNonFinite && !loaded.every(Number.isFinite)
    const wrong = problem ?? (isRefused ? nonFinite(entry.dtype) : undefined)
    if (wrong !== undefined) problems.push(`${showName(name)} ${wrong}`)
    values.set(name, loaded)
  }
  if (problems.length > 0) {
    const rename = missing.length > 0 && options.rename === undefined ? suggestRename(expected, entries) : undefined
    throw misfit(owner, problems, rename, unexpected)
  }
  return { values, notes: notesOf(owner, named, strict ? [] : missing) }
}

function nonFinite(dtype: string): string {
  const orLarge = dtype === 'F64' ? ', or some too large for float32' : ''
  return `has NaN or infinite weights${orLarge}; pass allowNonFinite: true to load them all the same`
}

function shapeProblem(name: string, { shape, dtype, floats }: Entry, expected: readonly number[]): string | undefined {
  if (shape.join() !== expected.join()) {
    return `has shape [${shape}], the model's has [${expected}]${describeCell(name, shape, expected)}`
  }
  return floats ? undefined : `is ${dtype}, expected floats; convert it with .float() before saving`
}

/** The error about a state dict that does not fit, with the rename that would make it fit. */
export function misfit(
  owner: string,
  problems: readonly string[],
  rename: Readonly<Record<string, string>> | undefined,
  others: readonly string[],
): StateDictError {
  const left = rename === undefined ? [] : others.filter((name) => !isRenamed(name, rename))
  const strict = left.length > 0 ? ` and strict: false, which leaves out ${showNames(left)}` : ''
  const advice =
    rename === undefined
      ? ''
      : `; if these are its layers under other names, pass rename: ${showRename(rename)}${strict}`
  return new StateDictError(`the state dict does not fit ${owner}: ${problems.join('; ')}${advice}`, { rename })
}

function isRenamed(name: string, rename: Readonly<Record<string, string>>): boolean {
  const forms = [name, withoutWrappers(name)]
  return Object.keys(rename).some(
    (key) => key === '' || forms.some((form) => form === key || form.startsWith(`${key}.`)),
  )
}

function notesOf(owner: string, { others, wrappers, unwrapped }: NamedEntries, missing: readonly string[]): string[] {
  const left = showNames([...others.keys()], (name) => `${showName(name)} (${others.get(name)?.dtype})`)
  return [
    ...(unwrapped > 0
      ? [
          `took ${wrappers.join(' and ')} off ${unwrapped} names: prefixes of wrappers such as DataParallel and torch.compile`,
        ]
      : []),
    ...(others.size > 0 ? [`left alone ${left}: not weights of ${owner}`] : []),
    ...(missing.length > 0 ? [`kept the weights of ${showNames(missing)}: not in the state dict`] : []),
  ]
}
