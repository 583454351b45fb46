const brand = Symbol.for('@rowwise/error')

/**
 * The base of every error that Rowwise throws for its caller: a stable `code` for programs, and a message that names
 * what was found, what was expected and how to fix it for people.
 *
 * @example
 * ```ts
 * try { parseIdx(bytes) } catch (error) { if (isRowwiseError(error)) console.error(error.code, error.message) }
 * ```
 */
export abstract class RowwiseError extends Error {
  /** Never changes once released; compare this and not the message. */
  abstract readonly code: string

  /** Marks errors of every package, each of which carries its own copy of this class. */
  readonly [brand] = true

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Whether `value` is an error of any Rowwise package (a test by `instanceof` sees only one package's). */
export function isRowwiseError(value: unknown): value is RowwiseError {
  return value instanceof Error && brand in value
}
