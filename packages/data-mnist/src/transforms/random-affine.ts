import { refuseUnknownOptions } from '@rowwise/errors'
import { LoaderOptionError } from '../errors'
import {
  type ImageTransform,
  type Interpolation,
  type RandomTransformOptions,
  requireGenerator,
  requireRange,
  roundHalfEven,
  uniform,
} from './image'
import { inverseAffine, sampleGrid } from './sample-grid'

/** How {@link randomRotation} turns. */
export interface RandomRotationOptions extends RandomTransformOptions {
  /** The range of angles in degrees, counter-clockwise; a number n means −n to n. */
  degrees: number | readonly [number, number]
  /** How pixels between pixels are found. @default 'nearest' */
  interpolation?: Interpolation
  /** The pixel outside of the image. @default 0 */
  fill?: number
}

/**
 * Turns an image about its middle by a random angle, after torchvision's `RandomRotation` on tensors.
 *
 * @throws {@link LoaderOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const transform = compose(randomRotation({ degrees: 10, interpolation: 'bilinear', generator }), normalize(0.1307, 0.3081))
 * ```
 */
export function randomRotation(options: RandomRotationOptions): ImageTransform {
  const owner = 'randomRotation()'
  refuseUnknownOptions(
    owner,
    options,
    { degrees: true, interpolation: true, fill: true, generator: true },
    LoaderOptionError,
  )
  const { interpolation = 'nearest', fill = 0, generator } = options
  const degrees = rangeOf(owner, 'degrees', options.degrees)
  requireCommon(owner, interpolation, fill, generator)
  return (image) => {
    const angle = uniform(generator, degrees[0], degrees[1])
    return sampleGrid(image, inverseAffine(-angle, [0, 0], 1, 0), interpolation, fill)
  }
}

/** How {@link randomAffine} distorts. */
export interface RandomAffineOptions extends RandomTransformOptions {
  /** The range of angles in degrees, clockwise; a number n means −n to n. */
  degrees: number | readonly [number, number]
  /** How far it moves at most, as shares of width and height. @default not at all */
  translate?: readonly [number, number]
  /** The range of its size. @default as it is */
  scale?: readonly [number, number]
  /** The range of the shear along x in degrees; a number n means −n to n. @default none */
  shear?: number | readonly [number, number]
  /** How pixels between pixels are found. @default 'nearest' */
  interpolation?: Interpolation
  /** The pixel outside of the image. @default 0 */
  fill?: number
}

const AFFINE_OPTIONS = {
  ...{ degrees: true, translate: true, scale: true, shear: true, interpolation: true, fill: true },
  generator: true,
} as const

/**
 * Turns, moves, scales and shears an image at random about its middle, after torchvision's `RandomAffine` on tensors.
 *
 * @throws {@link LoaderOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const distort = randomAffine({ degrees: 10, translate: [0.1, 0.1], scale: [0.9, 1.1], shear: 5, generator })
 * ```
 */
export function randomAffine(options: RandomAffineOptions): ImageTransform {
  const owner = 'randomAffine()'
  refuseUnknownOptions<object>(owner, options, AFFINE_OPTIONS, LoaderOptionError)
  const { translate, scale, interpolation = 'nearest', fill = 0, generator } = options
  const degrees = rangeOf(owner, 'degrees', options.degrees)
  const shear = options.shear === undefined ? undefined : rangeOf(owner, 'shear', options.shear)
  requireCommon(owner, interpolation, fill, generator)
  if (translate && !(Array.isArray(translate) && translate.length === 2 && translate.every((t) => t >= 0 && t <= 1))) {
    throw new LoaderOptionError(`${owner}: translate is ${JSON.stringify(translate)}, expected two shares from 0 to 1`)
  }
  if (scale) requireRange(owner, 'scale', scale)
  if (scale && scale[0] <= 0) throw new LoaderOptionError(`${owner}: scale begins at ${scale[0]}, expected more than 0`)
  const move = (share: number, size: number): number => roundHalfEven(uniform(generator, -share * size, share * size))
  return (image) => {
    const angle = uniform(generator, degrees[0], degrees[1])
    const tx = translate ? move(translate[0], image.width) : 0
    const ty = translate ? move(translate[1], image.height) : 0
    const factor = scale ? uniform(generator, scale[0], scale[1]) : 1
    const shearX = shear ? uniform(generator, shear[0], shear[1]) : 0
    return sampleGrid(image, inverseAffine(angle, [tx, ty], factor, shearX), interpolation, fill)
  }
}

function rangeOf(owner: string, name: string, given: number | readonly [number, number]): readonly [number, number] {
  const range = typeof given === 'number' ? ([-given, given] as const) : given
  requireRange(owner, name, range)
  return range
}

function requireCommon(owner: string, interpolation: string, fill: number, generator: unknown): void {
  requireGenerator(owner, generator)
  if (interpolation !== 'nearest' && interpolation !== 'bilinear') {
    throw new LoaderOptionError(
      `${owner}: interpolation is ${JSON.stringify(interpolation)}, expected 'nearest' or 'bilinear'`,
    )
  }
  if (!Number.isFinite(fill)) throw new LoaderOptionError(`${owner}: fill is ${fill}, expected a number`)
}
