import { isImageName, readImage } from '@rowwise/data/images'
import { PNG } from 'pngjs'
import { UsageError } from '../exit'
import { type Picture, seenColours } from './colours'
import { glyph } from './glyph'
import { findInk } from './ink'
import { border, type Plane, plane } from './plane'
import { damaged, readPngBytes } from './png-bytes'
import { resample } from './resample'

/** Grey levels that differ by less are taken as alike. */
const LEAST_CONTRAST = 8

/** The masses of MNIST's 10 000 test images are at most one pixel from the middle. */
const OFF_CENTRE = 1.5

/** How a model wants pictures that are not the data set's own. */
export type Content = 'drawing' | 'whole'

/** A square grey image, as a data set of that size holds it. */
export interface GreySquare {
  /** uint8 `[side, side]`, bright on dark */
  pixels: Uint8Array
  side: number
}

/** Decodes a PNG file, or another picture with the package sharp. @throws {@link UsageError} when it is damaged. */
export async function readPicture(path: string): Promise<Picture> {
  if (isImageName(path) && !/\.png$/i.test(path)) {
    const { width, height, data } = await readImage(path)
    return { width, height, rgba: data }
  }
  const bytes = await readPngBytes(path)
  try {
    const { width, height, data } = PNG.sync.read(bytes)
    return { width, height, rgba: data }
  } catch (cause) {
    throw damaged(path, 'its content does not fit its checksums or sizes', cause)
  }
}

/**
 * Makes a picture what a model reads. One of the data set's own size, grey, with a black edge and in the middle, is one of its images and stays as it is.
 * Otherwise a drawing is looked for and drawn anew as MNIST's digits are, 20 of 28 pixels long and centred by mass; with `'whole'` the picture
 * is fitted in as it is, bright on dark.
 *
 * @throws {@link UsageError} when there is nothing on the picture.
 */
export function toSquare(path: string, picture: Picture, side: number, content: Content): GreySquare {
  const grey = ownImage(picture, side, content)
  if (grey) return { pixels: grey, side }
  const { width, height } = picture
  if (content === 'whole') {
    const pixels = whole(picture, side)
    if (Math.max(...pixels) - Math.min(...pixels) < LEAST_CONTRAST) throw blank(path)
    return { pixels, side }
  }
  const ink = findInk(seenColours(picture, { left: 0, top: 0, right: width, bottom: height }))
  if (ink === undefined) throw blank(path)
  return { pixels: glyph(ink, side), side }
}

/**
 * The grey of a picture as those of a folder are read: nothing is inverted, and its size must be theirs.
 *
 * @throws {@link UsageError} when it has another size.
 */
export function toGrey(path: string, picture: Picture, wanted: { height: number; width: number }): Uint8Array {
  const { width, height, rgba } = picture
  if (width !== wanted.width || height !== wanted.height) {
    throw new UsageError(
      `${path} is ${height} × ${width} pixels, the model reads ${wanted.height} × ${wanted.width}; scale it as those that it learnt from`,
    )
  }
  const grey = (_: unknown, at: number): number =>
    (rgba[4 * at] * 19595 + rgba[4 * at + 1] * 38470 + rgba[4 * at + 2] * 7471 + 0x8000) >> 16
  return Uint8Array.from({ length: width * height }, grey)
}

function blank(path: string): UsageError {
  return new UsageError(`${path} is blank: nothing on it stands out from its background; draw with more contrast`)
}

/** The pixels of a picture that is one of a data set's images; undefined for any other. */
function ownImage({ width, height, rgba }: Picture, side: number, content: Content): Uint8Array | undefined {
  if (width !== side || height !== side) return undefined
  const grey = plane(side, side)
  for (let pixel = 0; pixel < side * side; pixel++) {
    const [red, green, blue, alpha] = rgba.subarray(4 * pixel, 4 * pixel + 4)
    if (red !== green || red !== blue || alpha !== 255) return undefined
    grey.values[pixel] = red
  }
  const isBlack = border(grey).every((value) => value === 0)
  const isLike = isBlack && grey.values.some((value) => value > 127) && (content === 'whole' || isCentred(grey))
  return isLike ? Uint8Array.from(grey.values) : undefined
}

/** Whether the mass of a digit is in the middle, as it is of every MNIST image; one that was drawn anywhere has to be moved there. */
function isCentred({ width, height, values }: Plane): boolean {
  let [mass, x, y] = [0, 0, 0]
  values.forEach((value, at) => {
    mass += value
    x += value * (at % width)
    y += value * Math.floor(at / width)
  })
  return Math.abs(x / mass - (width - 1) / 2) < OFF_CENTRE && Math.abs(y / mass - (height - 1) / 2) < OFF_CENTRE
}

/** The whole picture in a square, its sides kept in proportion, on the brightness of its edge; inverted where that is bright. */
function whole({ width, height, rgba }: Picture, side: number): Uint8Array {
  const luma = plane(width, height)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [red, green, blue, alpha] = rgba.subarray(4 * pixel, 4 * pixel + 4)
    luma.values[pixel] = ((0.299 * red + 0.587 * green + 0.114 * blue) * alpha) / 255 // Rec. 601, on black
  }
  const edge = border(luma)
  const ground = edge.reduce((sum, value) => sum + value, 0) / edge.length
  const above = plane(
    width,
    height,
    luma.values.map((value) => (ground > 127 ? ground - value : value - ground)),
  )
  const fitted = fit(above, side)
  return Uint8Array.from(fitted.values, (value) =>
    Math.round(Math.min(255, Math.max(0, value + (ground > 127 ? 0 : ground)))),
  )
}

function fit(source: Plane, side: number): Plane {
  const length = Math.max(source.width, source.height)
  const [left, top] = [(source.width - length) / 2, (source.height - length) / 2]
  return resample(source, { left, top, right: left + length, bottom: top + length }, side, side)
}
