import type { Column, LocatedSamples } from '@rowwise/data'
import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-core'
import { DatasetError, LoaderOptionError } from './errors'
import type { IdxArray } from './idx'
import { type PixelTable, toTensor } from './normalize'

/** A batch of images. */
export interface ImageBatch {
  /** float32 `[N, height, width]`: an image as `height` time steps of `width` features. */
  inputs: Tensor3D
  /** int32 `[N]`: the labels. */
  targets: Tensor1D
}

/** Some images before they are tensors. */
export interface ImageSamples {
  /** uint8 `[N, height, width]` */
  readonly inputs: Column
  /** uint8 `[N]` */
  readonly targets: Column
}

/** Labelled grey-scale images as typed arrays: one copy in memory, as the files hold them. {@link imageDataset} makes one. */
export interface ImageDataset extends ImageArrays {
  /** How many images there are. */
  readonly length: number
  /** These images, uint8 `[N, height, width]`, and their labels, in this order. */
  get(indices: Int32Array): ImageSamples
  /** Where they lie: in `images` and `labels`. */
  locate?(indices: Int32Array): LocatedSamples
  /** A loader that is not told otherwise scales pixels to [0, 1]. */
  readonly transform: PixelTable
  /** Never there: the type of the batches that a loader makes of it. */
  readonly batch?: ImageBatch
}

/** What an {@link ImageDataset} is made of. */
export interface ImageArrays {
  /** What to call it, e.g. `mnist train`. */
  readonly name: string
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
  /**
   * Of QMNIST what is known of each image, int32 `[length, 8]`: class, NIST series, writer, digit of that writer, NIST class, digit among all,
   * duplicate, nothing.
   */
  readonly details?: Int32Array
}

const TO_UNIT = toTensor()

/**
 * A data set of images for `DataLoader`.
 *
 * @throws {@link DatasetError} when there are not as many images as labels, there is none, or a label has no class.
 * @example
 * ```ts
 * const digits = imageDataset({ name: 'mine', height: 28, width: 28, images, labels, classNames: ['0', '1'] })
 * ```
 */
export function imageDataset(arrays: ImageArrays): ImageDataset {
  const { name, height, width, images, labels, classNames, details } = arrays
  const [pixels, length] = [height * width, labels.length]
  if (length === 0 || images.length !== length * pixels) {
    throw new DatasetError(
      `${name}: ${images.length / pixels} images but ${length} labels; take both files from the same data set`,
    )
  }
  const stray = labels.findIndex((label) => label >= classNames.length)
  if (stray >= 0) {
    throw new DatasetError(
      `${name}: label ${stray} is ${labels[stray]}, expected 0 to ${classNames.length - 1}; ` +
        'pass classNames with one name per class',
    )
  }
  return new Images({ name, height, width, images, labels, classNames, ...(details && { details }) })
}

/** Its methods are not copied with its fields: `{ ...dataset, images }` would still gather the images of before. */
class Images implements ImageDataset {
  readonly name!: string
  readonly height!: number
  readonly width!: number
  readonly images!: Uint8Array
  readonly labels!: Uint8Array
  readonly classNames!: readonly string[]
  declare readonly details?: Int32Array
  readonly length: number
  readonly #samples: ImageSamples

  constructor(arrays: ImageArrays) {
    Object.assign(this, arrays, { images: bytesOf(arrays.images), labels: bytesOf(arrays.labels) })
    const { images, labels, height, width } = this
    this.length = labels.length
    this.#samples = {
      inputs: { data: images, shape: [labels.length, height, width] },
      targets: { data: labels, shape: [labels.length] },
    }
  }

  get transform(): PixelTable {
    return TO_UNIT
  }

  get(indices: Int32Array): ImageSamples {
    const { images, labels, height, width } = this
    const [count, pixels] = [indices.length, height * width]
    const [chosen, classes] = [new Uint8Array(count * pixels), new Uint8Array(count)]
    for (let row = 0; row < count; row++) {
      const index = indices[row]
      chosen.set(images.subarray(index * pixels, (index + 1) * pixels), row * pixels)
      classes[row] = labels[index]
    }
    return {
      inputs: { data: chosen, shape: [count, height, width] },
      targets: { data: classes, shape: [count] },
    }
  }

  locate(indices: Int32Array): LocatedSamples {
    return { samples: this.#samples, indices }
  }
}

/**
 * Pairs images with their labels.
 *
 * @param images uint8 `[N, height, width]`
 * @param labels uint8 `[N]`
 * @throws {@link DatasetError} when the counts differ or a label has no class.
 */
function makeDataset(name: string, images: IdxArray, labels: Labels, classNames: readonly string[]): ImageDataset {
  const [length, height, width] = images.shape
  if (labels.shape[0] !== length) {
    throw new DatasetError(
      `${name}: ${length} images but ${labels.shape[0]} labels; take both files from the same data set`,
    )
  }
  const { details } = labels
  return imageDataset({
    ...{ name, height, width, images: images.data, labels: labels.data, classNames },
    ...(details && { details }),
  })
}

/** The same bytes without the methods of Node's Buffer, which are slower. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Labels as a file holds them, and what else that says of each image. */
export interface Labels extends IdxArray {
  /** int32 `[N, 8]` */
  readonly details?: Int32Array
}

/** The classes of QMNIST's labels `[N, 8]`: their first column. @throws {@link DatasetError} when there are not eight, or one is no byte. */
export function classesOf({ shape, data }: { shape: number[]; data: Int32Array }, name: string): Labels {
  const [length, columns] = shape
  if (columns !== 8) throw new DatasetError(`${name}: has ${columns} columns, expected 8; is it QMNIST's file?`)
  const stray = data.findIndex((value, at) => at % 8 === 0 && (value < 0 || value > 255))
  if (stray >= 0) throw new DatasetError(`${name}: the class of image ${stray / 8} is ${data[stray]}, expected 0 to 9`)
  return { shape: [length], data: Uint8Array.from({ length }, (_, n) => data[8 * n]), details: data }
}

/** Images whose rows are their columns. */
export function transposed({ shape, data }: IdxArray): IdxArray {
  const [length, height, width] = shape
  const turned = new Uint8Array(data.length)
  for (let image = 0; image < length; image++) {
    const at = image * height * width
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++)
        turned[at + column * height + row] = data[at + row * width + column]
    }
  }
  return { shape: [length, width, height], data: turned }
}

/** The IDX arrays of a data set's two halves, images then labels. */
export interface RawHalves {
  readonly train: readonly [IdxArray, Labels]
  readonly test: readonly [IdxArray, Labels]
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
  const { length, height, width, images, labels, details } = dataset
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > length || start >= end) {
    throw new LoaderOptionError(`subset ${start} … ${end} of ${length} items: expected 0 <= start < end <= ${length}`)
  }
  const pixels = height * width
  return imageDataset({
    ...dataset,
    images: images.subarray(start * pixels, end * pixels),
    labels: labels.subarray(start, end),
    ...(details && { details: details.subarray(8 * start, 8 * end) }),
  })
}
