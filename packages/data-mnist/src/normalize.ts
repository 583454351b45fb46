import { DatasetError, LoaderOptionError } from './errors'

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
export function toTensor(): PixelTable {
  return normalize(0, 1)
}

/** Mean and standard deviation of a data set's pixels, in units of pixels scaled to [0, 1]. */
export interface PixelStatistics {
  /** Mean. */
  readonly mean: number
  /** Standard deviation over all pixels (that of the population). */
  readonly std: number
}

/**
 * Mean and standard deviation of all pixels of a data set: what {@link normalize} takes for data of your own.
 *
 * @throws {@link DatasetError} when all pixels are alike, so that there is nothing to learn from.
 * @example
 * ```ts
 * const { mean, std } = pixelStatistics(train) // MNIST's: 0.1307, 0.3081
 * const transform = normalize(mean, std)
 * ```
 */
export function pixelStatistics({ name, images }: { name: string; images: Uint8Array }): PixelStatistics {
  const counts = new Float64Array(256)
  for (let pixel = 0; pixel < images.length; pixel++) counts[images[pixel]] += 1
  // Counts and bytes are integers below 2^53, so that both sums are exact.
  let [sum, squares] = [0, 0]
  counts.forEach((count, byte) => {
    sum += count * byte
    squares += count * byte * byte
  })
  const mean = sum / images.length
  const variance = squares / images.length - mean * mean
  if (!(variance > 0))
    throw new DatasetError(`${name}: all pixels are ${images[0]}; there is nothing to learn from them`)
  return { mean: mean / 255, std: Math.sqrt(variance) / 255 }
}
