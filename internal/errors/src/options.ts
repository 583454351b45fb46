import type { RowwiseError } from './error'

/** The names that an options object may have, each of them listed: a name left out does not compile. */
export type OptionNames<Options> = Readonly<Record<keyof Required<Options>, true>>

/**
 * Refuses an options object with a name that nobody reads. A misspelled option would otherwise silently do nothing.
 *
 * @param owner whose options they are, as the caller wrote it: `new Adam()`
 * @param Refusal the package's error for wrong options, which is thrown
 */
export function refuseUnknownOptions<Options extends object>(
  owner: string,
  options: Options,
  known: OptionNames<Options>,
  Refusal: new (message: string) => RowwiseError,
): void {
  const expected = (): string => Object.keys(known).join(', ')
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new Refusal(`${owner} got ${describe(options)} as its options, expected an object with some of ${expected()}`)
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name))
      throw new Refusal(`${owner} has no option '${name}', expected some of ${expected()}`)
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
