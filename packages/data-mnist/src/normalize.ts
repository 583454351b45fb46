import { LoaderOptionError } from './errors'

/** What becomes of each pixel: float32 `[256]`, by the pixel's byte. Any function of a byte is such a table. */
export type PixelTable = Float32Array

/**
 * The table of `transforms.ToTensor()` then `transforms.Normalize(mean, std)`: (byte/255 − mean)/std, every operation
 * rounded to float32 as PyTorch rounds it.
 *
 * @param mean in units of pixels scaled to [0, 1]
 * @param std in the same units, not 0
 * @throws {@link LoaderOptionError} when a number is not finite or `std` is 0.
 * @example
 * ```ts
 * const transform = normalize(0.1307, 0.3081) // MNIST's
 * ```
 */
export function normalize(mean: number, std: number): PixelTable {
  if (!Number.isFinite(mean) || !Number.isFinite(std) || std === 0) {
    throw new LoaderOptionError(`normalize(${mean}, ${std}): expected a finite mean and a finite std that is not 0`)
  }
  const [mean32, std32] = [Math.fround(mean), Math.fround(std)]
  return Float32Array.from({ length: 256 }, (_, byte) => Math.fround(Math.fround(byte / 255) - mean32) / std32)
}

/** The table of `transforms.ToTensor()` alone: byte/255. */
export function scaleToUnit(): PixelTable {
  return normalize(0, 1)
}
