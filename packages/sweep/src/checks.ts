import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { SweepDefinitionError } from './errors'
import { show } from './space'

/** Refuses option names that nobody reads. */
export function refuseOptions<Options extends object>(
  owner: string,
  options: Options,
  known: OptionNames<Options>,
): void {
  refuseUnknownOptions(owner, options, known, SweepDefinitionError)
}

/** Refuses what is not an object with these methods. */
function requireMethods(owner: string, value: unknown, methods: readonly string[], example: string): void {
  const isObject = typeof value === 'object' && value !== null
  if (isObject && methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')) return
  throw new SweepDefinitionError(`${owner} is ${show(value)}, expected ${example}`)
}

/** Refuses what runs no jobs. */
export function requireEngine(owner: string, engine: unknown): void {
  requireMethods(`${owner}: engine`, engine, ['open'], 'what localEngine() or redisEngine() gives')
}

/** Refuses callbacks that are not functions; they may be absent. */
export function requireCallbacks(owner: string, callbacks: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(callbacks)) {
    if (value === undefined || typeof value === 'function') continue
    throw new SweepDefinitionError(`${owner}: ${name} is ${show(value)}, expected a function`)
  }
}

/** Refuses what is not a signal, such as its controller: it would never stop anything. */
export function requireSignal(owner: string, signal: unknown): void {
  if (signal === undefined || typeof (signal as AbortSignal | null)?.aborted === 'boolean') return
  throw new SweepDefinitionError(`${owner}: signal is ${show(signal)}, expected an AbortSignal: controller.signal`)
}

/** Refuses what is neither true nor false. */
export function requireBoolean(owner: string, name: string, value: unknown): void {
  if (typeof value === 'boolean') return
  throw new SweepDefinitionError(`${owner}: ${name} is ${show(value)}, expected true or false`)
}

/** Refuses what cannot be a path. */
export function requirePath(owner: string, name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return
  throw new SweepDefinitionError(`${owner}: ${name} is ${show(value)}, expected the path of a directory`)
}

/** Refuses what keeps no files; it may be absent. */
export function requireFiles(owner: string, files: unknown): void {
  if (files === undefined) return
  if (typeof files === 'string') requirePath(owner, 'files', files)
  else requireMethods(`${owner}: files`, files, ['save', 'restore', 'discard'], 'a directory, or what s3Files() gives')
}

/** Refuses what is not plain data: JSON would drop or change it, so a trial would get something else than was written. */
export function requirePlain(path: string, value: unknown, above: readonly unknown[] = []): void {
  const refusal = (found: string) =>
    new SweepDefinitionError(`${path} is ${found}, expected plain data: what JSON can hold`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return
  if (typeof value !== 'object') throw refusal(show(value))
  if (above.includes(value)) throw refusal('within itself')
  const within = [...above, value]
  if (Array.isArray(value)) {
    for (const [k, item] of value.entries()) requirePlain(`${path}[${k}]`, item, within)
    return
  }
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  if (kind !== 'Object') throw refusal(`of class ${kind}`)
  for (const [name, item] of Object.entries(value)) {
    if (item !== undefined) requirePlain(`${path}.${name}`, item, within) // an absent setting
  }
}
