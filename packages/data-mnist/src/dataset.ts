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
        'pass classNames with one name per class',
    )
  }
  return { name, length, height, width, images: images.data, labels: labels.data, classNames }
}

/** The IDX arrays of a data set's two halves, images then labels. */
export interface RawHalves {
  readonly train: readonly [IdxArray, IdxArray]
  readonly test: readonly [IdxArray, IdxArray]
}

/**
 * Makes both halves of a data set.
 *
 * @param classNames one name per class; the labels' numbers, up to the largest of both halves, when undefined
 * @throws {@link DatasetError} when images and labels do not belong together, or the halves' images differ in size.
 */
export function makeHalves(
  name: string,
  { train, test }: RawHalves,
  classNames: readonly string[] | undefined,
): { train: ImageDataset; test: ImageDataset } {
  const names = classNames ?? numberNames(Math.max(largest(train[1].data), largest(test[1].data)) + 1)
  const halves = {
    train: makeDataset(`${name} train`, ...train, names),
    test: makeDataset(`${name} test`, ...test, names),
  }
  const sizeOf = ({ height, width }: ImageDataset): string => `${height} × ${width}`
  if (sizeOf(halves.train) !== sizeOf(halves.test)) {
    throw new DatasetError(
      `${name}: the training images are ${sizeOf(halves.train)} pixels, the test images ${sizeOf(halves.test)}; ` +
        'a network reads images of one size, so scale one half to the size of the other',
    )
  }
  return halves
}

function numberNames(count: number): string[] {
  return Array.from({ length: count }, (_, label) => String(label))
}

function largest(labels: Uint8Array): number {
  return labels.reduce((max, label) => Math.max(max, label), 0)
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
