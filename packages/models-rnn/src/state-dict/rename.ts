import { describeValue, showName } from '@rowwise/safetensors'
import { ModuleOptionError, StateDictError } from '../errors'
import { withoutWrappers, wrappersBetween } from './wrappers'

/** New names by old ones: whole names, or the parts they begin with. */
export type Rename = Readonly<Record<string, string>>

/** A name after a rename. */
export interface Renamed {
  name: string
  /** What was taken off the old name for an entry to match it. */
  wrappers: string[]
}

/**
 * Applies a rename to the names of a state dict: a key stands for the name that it is, or for the names that it begins, up to a
 * dot; the longest key wins. A key is looked for in the names as they are, then in the names without wrappers.
 *
 * @returns the new name of every name
 * @throws {@link StateDictError} when an entry matches nothing, {@link ModuleOptionError} when it is no text.
 */
export function renameAll(names: readonly string[], rename: Rename): Map<string, Renamed> {
  checkRename(rename)
  const keys = Object.keys(rename).sort((a, b) => b.length - a.length)
  const unused = new Set(keys)
  const renamed = new Map<string, Renamed>()
  for (const name of names) {
    const [form, key] = findKey(name, keys)
    if (key !== undefined) unused.delete(key)
    renamed.set(name, {
      name: key === undefined ? name : replaceStart(form, key, rename[key]),
      wrappers: wrappersBetween(name, form) ?? [],
    })
  }
  if (unused.size > 0) {
    const [key] = unused
    throw new StateDictError(
      `rename has the entry ${showRename({ [key]: rename[key] })}, but no name of the state dict is or begins with ${JSON.stringify(key)}`,
    )
  }
  return renamed
}

function checkRename(rename: Rename): void {
  if (Object.prototype.toString.call(rename) !== '[object Object]') {
    throw new ModuleOptionError(
      `rename is ${describeValue(rename)}, expected an object of new names by old ones, e.g. { lstm: 'lstm_1' }`,
    )
  }
  for (const [key, name] of Object.entries(rename)) {
    if (typeof name !== 'string') {
      throw new ModuleOptionError(`rename.${showName(key)} is ${describeValue(name)}, expected the new name as a text`)
    }
  }
}

function findKey(name: string, keys: readonly string[]): [form: string, key: string | undefined] {
  const begins = (form: string) => keys.find((key) => key === '' || form === key || form.startsWith(`${key}.`))
  const plain = withoutWrappers(name)
  const asItIs = begins(name)
  // The empty key begins every name, so a longer one that fits without the wrappers comes first.
  const without = begins(plain)
  return (asItIs ?? '').length >= (without ?? '').length ? [name, asItIs] : [plain, without]
}

function replaceStart(name: string, key: string, start: string): string {
  const rest = key === '' ? name : name.slice(key.length + 1)
  return [start, rest].filter((part) => part !== '').join('.')
}

/** A rename as it is written in a program: `{ lstm: 'lstm_1', 'fc.0': 'fc_1' }`. */
export function showRename(rename: Rename): string {
  const quoted = (text: string): string => `'${JSON.stringify(text).slice(1, -1).replaceAll("'", "\\'")}'`
  const entries = Object.entries(rename).map(
    ([key, name]) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)}: ${quoted(name)}`,
  )
  return `{ ${entries.join(', ')} }`
}
