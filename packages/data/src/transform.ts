import { type Column, isFloating } from './column'
import { LoaderOptionError } from './errors'

/** What becomes of each byte: float32 `[256]`. Any function of a byte is such a table. */
export type ByteTable = Float32Array

/** What becomes of the inputs of a batch: a table for bytes, or a function of all of them. */
export type Transform = ByteTable | ((inputs: Column) => Column)

/** Refuses what is not a transform. */
export function requireTransform(transform: Transform | undefined): void {
  if (transform === undefined || typeof transform === 'function') return
  if (transform?.length === 256) return
  throw new LoaderOptionError(
    `transform has ${transform?.length} entries, expected one for each of 256 bytes, or a function of the inputs`,
  )
}

/** Refuses inputs that are no bytes, for a table. */
export function requireBytes({ data }: Column): void {
  if (!isFloating(data) && data.BYTES_PER_ELEMENT === 1) return
  throw new LoaderOptionError('the transform is a table for bytes, but the inputs are other numbers; pass a function')
}
