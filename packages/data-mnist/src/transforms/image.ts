import type { Generator } from '@rowwise/torch-random'
import { LoaderOptionError } from '../errors'

/** One grey image: bytes, or after {@link toTensor} float32. */
export interface GreyImage {
  /** The pixels, row by row. */
  readonly data: Uint8Array | Float32Array
  /** Rows. */
  readonly height: number
  /** Columns. */
  readonly width: number
}

/** What becomes of one image; random ones draw from their generator. */
export type ImageTransform = (image: GreyImage) => GreyImage

/** What every random transform is told. */
export interface RandomTransformOptions {
  /** The random stream to draw from, instead of PyTorch's default generator: the loader's, for the same draws. */
  generator: Generator
}

/** How pixels between pixels are found. */
export type Interpolation = 'nearest' | 'bilinear'

/** A number from `from` to `to`, as `torch.empty(1).uniform_(from, to).item()`. */
export function uniform(generator: Generator, from: number, to: number): number {
  return generator.uniform(new Float32Array(1), from, to)[0]
}

/** A whole number from 0 up to, not including, `end`, as `torch.randint(0, end, (1,)).item()`. */
export function randint(generator: Generator, end: number): number {
  return generator.random() % end
}

/** Rounds halves to the even number, as Python's `round` and C's `nearbyint` do. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

/** Refuses what has no random stream. */
export function requireGenerator(owner: string, generator: unknown): void {
  if (typeof (generator as Generator | undefined)?.uniform === 'function') return
  throw new LoaderOptionError(
    `${owner} has no generator; pass generator: new Generator(seed), the loader's for PyTorch's draws`,
  )
}

/** Refuses what is not a pair of finite numbers in ascending order. */
export function requireRange(owner: string, name: string, range: readonly number[]): void {
  const [from, to] = Array.isArray(range) ? range : []
  if (Number.isFinite(from) && Number.isFinite(to) && from <= to) return
  throw new LoaderOptionError(
    `${owner}: ${name} is ${JSON.stringify(range)}, expected two numbers, the lower one first`,
  )
}

/** Refuses what is not a probability. */
export function requireProbability(owner: string, p: number): void {
  if (p >= 0 && p <= 1) return
  throw new LoaderOptionError(`${owner}: p is ${p}, expected a probability from 0 to 1`)
}
