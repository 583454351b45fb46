import { refuseUnknownOptions } from '@rowwise/errors'
import { LoaderOptionError } from '../errors'
import {
  type GreyImage,
  type ImageTransform,
  type RandomTransformOptions,
  randint,
  requireGenerator,
  requireProbability,
  requireRange,
  roundHalfEven,
  uniform,
} from './image'

/** How {@link randomCrop} cuts. */
export interface RandomCropOptions extends RandomTransformOptions {
  /** Rows and columns that are left. */
  size: number | readonly [number, number]
  /** Pixels of 0 that are added on each side before. @default 0 */
  padding?: number
}

/**
 * Cuts a part of a size out at a random place, after torchvision's `RandomCrop`.
 *
 * @throws {@link LoaderOptionError} for an unknown option or one out of range, or, of an image, when it is smaller than the part.
 * @example
 * ```ts
 * const shift = randomCrop({ size: 28, padding: 2, generator })
 * ```
 */
export function randomCrop(options: RandomCropOptions): ImageTransform {
  const owner = 'randomCrop()'
  refuseUnknownOptions(owner, options, { size: true, padding: true, generator: true }, LoaderOptionError)
  const { size, padding = 0, generator } = options
  const [height, width] = typeof size === 'number' ? [size, size] : (size ?? [])
  for (const [name, value, least] of [
    ['size', height, 1],
    ['size', width, 1],
    ['padding', padding, 0],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue
    throw new LoaderOptionError(`${owner}: ${name} is ${value}, expected an integer of at least ${least}`)
  }
  requireGenerator(owner, generator)
  return (image) => {
    const padded = pad(image, padding)
    if (padded.height < height || padded.width < width) {
      throw new LoaderOptionError(
        `${owner}: the image has ${padded.height} × ${padded.width} pixels with padding, expected ${height} × ${width} or more`,
      )
    }
    if (padded.height === height && padded.width === width) return padded
    const top = randint(generator, padded.height - height + 1)
    const left = randint(generator, padded.width - width + 1)
    return cut(padded, top, left, height, width)
  }
}

function pad(image: GreyImage, padding: number): GreyImage {
  if (padding === 0) return image
  const [height, width] = [image.height + 2 * padding, image.width + 2 * padding]
  const data = image.data instanceof Uint8Array ? new Uint8Array(height * width) : new Float32Array(height * width)
  for (let row = 0; row < image.height; row++) {
    data.set(image.data.subarray(row * image.width, (row + 1) * image.width), (row + padding) * width + padding)
  }
  return { data, height, width }
}

function cut(image: GreyImage, top: number, left: number, height: number, width: number): GreyImage {
  const data = image.data.slice(0, height * width)
  for (let row = 0; row < height; row++) {
    const from = (top + row) * image.width + left
    data.set(image.data.subarray(from, from + width), row * width)
  }
  return { data, height, width }
}

/** How often {@link randomHorizontalFlip} flips. */
export interface RandomHorizontalFlipOptions extends RandomTransformOptions {
  /** The probability of it. @default 0.5 */
  p?: number
}

/**
 * Swaps left and right at random, after torchvision's `RandomHorizontalFlip`.
 *
 * @throws {@link LoaderOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const flip = randomHorizontalFlip({ generator })
 * ```
 */
export function randomHorizontalFlip(options: RandomHorizontalFlipOptions): ImageTransform {
  refuseUnknownOptions('randomHorizontalFlip()', options, { p: true, generator: true }, LoaderOptionError)
  const { p = 0.5, generator } = options
  requireProbability('randomHorizontalFlip()', p)
  requireGenerator('randomHorizontalFlip()', generator)
  return (image) => {
    if (uniform(generator, 0, 1) >= Math.fround(p)) return image
    const data = image.data.slice()
    for (let row = 0; row < image.height; row++) data.subarray(row * image.width, (row + 1) * image.width).reverse()
    return { ...image, data }
  }
}

/** How {@link randomErasing} erases. */
export interface RandomErasingOptions extends RandomTransformOptions {
  /** The probability of it. @default 0.5 */
  p?: number
  /** The range of the part that is erased, as shares of the image. @default [0.02, 0.33] */
  scale?: readonly [number, number]
  /** The range of its height divided by its width. @default [0.3, 3.3] */
  ratio?: readonly [number, number]
  /** What its pixels become. @default 0 */
  value?: number
}

const ATTEMPTS = 10 // torchvision's: then the image stays as it is

/**
 * Erases a random rectangle, after torchvision's `RandomErasing` (Zhong et al. 2020). As there, it comes after {@link toTensor} or
 * {@link normalize}.
 *
 * @throws {@link LoaderOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const transform = compose(normalize(0.1307, 0.3081), randomErasing({ generator }))
 * ```
 */
export function randomErasing(options: RandomErasingOptions): ImageTransform {
  const owner = 'randomErasing()'
  const known = { p: true, scale: true, ratio: true, value: true, generator: true } as const
  refuseUnknownOptions(owner, options, known, LoaderOptionError)
  const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0, generator } = options
  requireProbability(owner, p)
  requireRange(owner, 'scale', scale)
  requireRange(owner, 'ratio', ratio)
  if (scale[0] < 0 || scale[1] > 1)
    throw new LoaderOptionError(`${owner}: scale is [${scale}], expected shares from 0 to 1`)
  if (!(ratio[0] > 0)) throw new LoaderOptionError(`${owner}: ratio begins at ${ratio[0]}, expected more than 0`)
  if (!Number.isFinite(value)) throw new LoaderOptionError(`${owner}: value is ${value}, expected a number`)
  requireGenerator(owner, generator)
  const logRatio = ratio.map((end) => Math.fround(Math.log(Math.fround(end))))
  return (image) => {
    if (uniform(generator, 0, 1) >= Math.fround(p)) return image
    const area = image.height * image.width
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const erased = area * uniform(generator, scale[0], scale[1])
      const aspect = Math.fround(Math.exp(uniform(generator, logRatio[0], logRatio[1])))
      const height = roundHalfEven(Math.sqrt(erased * aspect))
      const width = roundHalfEven(Math.sqrt(erased / aspect))
      if (height >= image.height || width >= image.width) continue
      const top = randint(generator, image.height - height + 1)
      const left = randint(generator, image.width - width + 1)
      const data = image.data.slice()
      for (let row = top; row < top + height; row++) {
        data.fill(value, row * image.width + left, row * image.width + left + width)
      }
      return { ...image, data }
    }
    return image
  }
}
