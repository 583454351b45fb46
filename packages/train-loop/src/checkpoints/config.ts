/** A setting that differs, with both values as texts. */
export interface Difference {
  name: string
  before: string
  now: string
}

/** Where two sets of settings differ, by dotted names. */
export function differences(old: Record<string, unknown>, current: Record<string, unknown>): Difference[] {
  const [before, after] = [new Map(flatten(old)), new Map(flatten(current))]
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => ({ name, before: before.get(name) ?? 'not set', now: after.get(name) ?? 'not set' }))
}

function flatten(value: unknown, name = ''): [string, string][] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name, show(value)]]
  return Object.entries(value).flatMap(([key, field]) => flatten(field, name === '' ? key : `${name}.${key}`))
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}
