import { DatasetError, LoaderOptionError } from './errors'
import type { IdxArray } from './idx'

/** Labelled grey-scale images as typed arrays: one copy in memory, as the files hold them. */
export interface ImageDataset {
  /** What to call it, e.g. `mnist train`. */
  readonly name: string
  /** How many images there are. */
  readonly length: number
  /** Rows of an image, in pixels. */
  readonly height: number
  /** Columns of an image, in pixels. */
  readonly width: number
  /** uint8 `[length, height, width]`, 0 is background. */
  readonly images: Uint8Array
  /** uint8 `[length]`, each below `classNames.length`. */
  readonly labels: Uint8Array
  /** One name per class, by label. */
  readonly classNames: readonly string[]
}

/**
 * Pairs images with their labels.
 *
 * @param images uint8 `[N, height, width]`
 * @param labels uint8 `[N]`
 * @throws {@link DatasetError} when the counts differ or a label has no class.
 */
export function makeDataset(
  name: string,
  images: IdxArray,
  labels: IdxArray,
  classNames: readonly string[],
): ImageDataset {
  const [length, height, width] = images.shape
  if (labels.shape[0] !== length) {
    throw new DatasetError(
      `${name}: ${length} images but ${labels.shape[0]} labels; take both files from the same data set`,
    )
  }
  const stray = labels.data.findIndex((label) => label >= classNames.length)
  if (stray >= 0) {
    throw new DatasetError(
      `${name}: label ${stray} is ${labels.data[stray]}, expected 0 to ${classNames.length - 1}; ` +
        'pass classNames with a name for every class',
    )
  }
  return { name, length, height, width, images: images.data, labels: labels.data, classNames }
}

/**
 * The items `start` … `end − 1` of a data set, without copying.
 *
 * @throws {@link LoaderOptionError} unless `0 <= start < end <= dataset.length`.
 * @example
 * ```ts
 * const first1000 = subset(train, 0, 1000)
 * ```
 */
export function subset(dataset: ImageDataset, start: number, end: number): ImageDataset {
  const { length, height, width, images, labels } = dataset
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > length || start >= end) {
    throw new LoaderOptionError(`subset ${start} … ${end} of ${length} items: expected 0 <= start < end <= ${length}`)
  }
  const pixels = height * width
  return {
    ...dataset,
    length: end - start,
    images: images.subarray(start * pixels, end * pixels),
    labels: labels.subarray(start, end),
  }
}
