import { SweepMismatchError } from '../errors'
import { show } from '../space'

/** JSON whose names are in order, so that equal settings have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}

/** @throws {@link SweepMismatchError} that names the first setting that differs. */
export function requireSame(where: string, before: string, now: string): void {
  if (before === now) return
  const [path, one, other] = difference(parsed(before), parsed(now), '')
  throw new SweepMismatchError(
    `${where} has other settings: ${path || 'all'} was ${show(one)}, is now ${show(other)}; give this one another name or place, or undo the change`,
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function difference(one: unknown, other: unknown, path: string): [string, unknown, unknown] {
  const areObjects = [one, other].every((side) => typeof side === 'object' && side !== null && !Array.isArray(side))
  if (!areObjects) return [path, one, other]
  const [a, b] = [one, other] as Record<string, unknown>[]
  const name = [...new Set([...Object.keys(a), ...Object.keys(b)])].find(
    (key) => canonicalJson(a[key]) !== canonicalJson(b[key]),
  )
  return name === undefined ? [path, one, other] : difference(a[name], b[name], path === '' ? name : `${path}.${name}`)
}
