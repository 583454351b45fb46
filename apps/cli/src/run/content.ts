import type { Picture } from '../picture/colours'
import { type Content, toGrey, toSquare } from '../picture/read-picture'
import type { ModelInUse } from './weights-and-data'

/** What a model reads of a picture. */
export interface ImageInUse {
  /** uint8 `[height, width]` */
  pixels: Uint8Array
  height: number
  width: number
}

/** A picture as a model wants it: as those of its folder were, or in a square as the images of a data set are. */
export function imageOf(path: string, picture: Picture, { model, preprocessing }: ModelInUse): ImageInUse {
  const { classNames, pictures } = preprocessing
  if (pictures) return { pixels: toGrey(path, picture, pictures), ...pictures }
  const { inputSize } = model.config
  const { pixels } = toSquare(path, picture, inputSize, contentFor(classNames))
  return { pixels, height: inputSize, width: inputSize }
}

/** Digits are drawings, which are found and centred; anything else is taken as it is. */
function contentFor(classNames: readonly string[]): Content {
  return classNames.every((name) => /^\d+$/.test(name)) ? 'drawing' : 'whole'
}
