import type { Column } from '@rowwise/data'
import { LoaderOptionError } from '../errors'
import type { PixelTable } from '../normalize'
import type { GreyImage, ImageTransform } from './image'

/**
 * One transform after the other, image by image, as torchvision's `Compose`: what `DataLoader` takes as `transform`. Its steps are tables of
 * bytes, such as {@link toTensor} and {@link normalize}, which make float32 of bytes, and functions of an image. Without a table at the
 * end the images stay bytes.
 *
 * @throws {@link LoaderOptionError} when a step is neither, or, of a batch, when a table comes where the images are no bytes any more, or its
 * images come out in different sizes.
 * @example
 * ```ts
 * const transform = compose(randomRotation({ degrees: 10, generator }), normalize(0.1307, 0.3081))
 * const loader = new DataLoader(train, { shuffle: true, generator, transform })
 * ```
 */
export function compose(...steps: readonly (PixelTable | ImageTransform)[]): (images: Column) => Column {
  steps.forEach((step, place) => {
    if (typeof step === 'function' || step?.length === 256) return
    throw new LoaderOptionError(`compose(): step ${place} is neither a table of 256 numbers nor a function of an image`)
  })
  return ({ data, shape }) => {
    const [count, height, width] = shape
    if (shape.length !== 3 || !(data instanceof Uint8Array)) {
      throw new LoaderOptionError(`compose() got inputs [${shape}], expected bytes [N, height, width]`)
    }
    let all: Uint8Array | Float32Array | undefined
    let size: readonly number[] = []
    for (let image = 0; image < count; image++) {
      const pixels = data.subarray(image * height * width, (image + 1) * height * width)
      const made = steps.reduce<GreyImage>((found, step, place) => apply(step, found, place), {
        data: pixels,
        height,
        width,
      })
      if (all === undefined) {
        const length = count * made.data.length
        all = made.data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)
        size = [made.height, made.width]
      }
      if (size[0] !== made.height || size[1] !== made.width) {
        throw new LoaderOptionError(
          `compose(): images of [${size}] and [${[made.height, made.width]}] pixels in a batch; end with one size`,
        )
      }
      all.set(made.data, image * made.data.length)
    }
    return { data: all as Uint8Array, shape: [count, ...size] }
  }
}

function apply(step: PixelTable | ImageTransform, image: GreyImage, place: number): GreyImage {
  if (typeof step === 'function') return step(image)
  const { data, height, width } = image
  if (!(data instanceof Uint8Array)) {
    throw new LoaderOptionError(
      `compose(): step ${place} is a table of bytes, but a step before made other numbers; leave one out`,
    )
  }
  const values = new Float32Array(data.length)
  for (let k = 0; k < data.length; k++) values[k] = step[data[k]]
  return { data: values, height, width }
}
