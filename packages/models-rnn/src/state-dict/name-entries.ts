import { showName } from '@rowwise/safetensors'
import { StateDictError } from '../errors'
import type { Entry } from './entries'
import { type Rename, type Renamed, renameAll } from './rename'
import { matchNames, wrappersBetween } from './wrappers'

/** The tensors of a state dict under a model's names. */
export interface NamedEntries {
  /** By the model's names. */
  matched: Map<string, Entry>
  /** Those that fit none of the model's names, by the names of the state dict. */
  others: Map<string, Entry>
  /** The parts that were taken off the names, outermost first. */
  wrappers: string[]
  /** How many names they were taken off. */
  unwrapped: number
}

/**
 * Gives the tensors of a state dict a model's names: renamed, and without the prefixes of wrappers.
 *
 * @throws {@link StateDictError} when two of them come to the same name.
 */
export function nameEntries(
  entries: ReadonlyMap<string, Entry>,
  expected: ReadonlySet<string>,
  rename: Rename = {},
): NamedEntries {
  const renamed = renameAll([...entries.keys()], rename)
  const matches = matchNames(
    [...renamed.values()].map(({ name }) => name),
    expected,
  )
  const sources = new Map<string, string>()
  const result: NamedEntries = { matched: new Map(), others: new Map(), wrappers: [], unwrapped: 0 }
  const wrappers = new Set<string>()
  for (const [name, entry] of entries) {
    const { name: between, wrappers: before } = renamed.get(name) as Renamed
    const target = matches.get(between)
    const other = sources.get(target ?? between)
    if (other !== undefined) {
      throw new StateDictError(
        `the names ${showName(other)} and ${showName(name)} both come to ${showName(target ?? between)}; remove or rename one of them`,
      )
    }
    sources.set(target ?? between, name)
    if (target === undefined) {
      result.others.set(name, entry)
      continue
    }
    result.matched.set(target, entry)
    const taken = [...before, ...(wrappersBetween(between, target) ?? [])]
    for (const wrapper of taken) wrappers.add(`${wrapper}.`)
    if (taken.length > 0) result.unwrapped += 1
  }
  return { ...result, wrappers: [...wrappers] }
}
