import { type Box, type Plane, plane } from './plane'
import { quantile } from './quantile'

/** An image as it was decoded: 8 bits of red, green, blue and opacity a pixel, not premultiplied. */
export interface Picture {
  width: number
  height: number
  /** `[height, width, 4]` */
  rgba: Uint8Array
}

/** What is seen of a picture: red, green and blue from 0 to 255, or the opacity alone where only that tells pixels apart. */
export type Colours = readonly Plane[]

/** Blocks of pixels become one, so that the longer side has at most this many: enough for strokes, quick to search. */
const MAX_SIDE = 400

/** Opacities that differ by less are taken as alike; half of it is what rounding to 8 bits can do twice. */
const SEE_THROUGH = 16

/**
 * The colours of a part of a picture, at most 640 a side.
 *
 * A drawing on a transparent ground is its opacity, whatever colour the ink has. Where what is opaque carries a drawing
 * itself (a card with round corners), the transparent rest is taken to be more of the card.
 */
export function seenColours(picture: Picture, box: Box): Colours {
  const { colours, opacity } = shrink(picture, box)
  const [least, most] = range(opacity.values)
  if (most - least < SEE_THROUGH) return colours
  const solid = opacity.values.map((value) => Number(value > least + 0.9 * (most - least)))
  const ground = groundOfCard(colours, { ...opacity, values: solid })
  if (ground === undefined) return [opacity]
  return colours.map(({ width, height, values }, channel) =>
    plane(
      width,
      height,
      values.map((value, index) => {
        const share = (opacity.values[index] - least) / (most - least)
        return share * value + (1 - share) * ground[channel]
      }),
    ),
  )
}

/** Means over blocks of pixels; colours weighted by their opacity. */
function shrink({ width, height, rgba }: Picture, box: Box): { colours: Plane[]; opacity: Plane } {
  const [boxWidth, boxHeight] = [box.right - box.left, box.bottom - box.top]
  const block = Math.ceil(Math.max(boxWidth, boxHeight) / MAX_SIDE)
  const [columns, rows] = [Math.ceil(boxWidth / block), Math.ceil(boxHeight / block)]
  const colours = [plane(columns, rows), plane(columns, rows), plane(columns, rows)]
  const opacity = plane(columns, rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const left = box.left + column * block
      const top = box.top + row * block
      let [red, green, blue, alpha, count] = [0, 0, 0, 0, 0]
      for (let y = top; y < Math.min(top + block, box.bottom, height); y++) {
        for (let x = left; x < Math.min(left + block, box.right, width); x++) {
          const at = 4 * (y * width + x)
          const share = rgba[at + 3]
          red += share * rgba[at]
          green += share * rgba[at + 1]
          blue += share * rgba[at + 2]
          alpha += share
          count += 1
        }
      }
      const target = row * columns + column
      opacity.values[target] = alpha / count
      if (alpha === 0) continue
      colours[0].values[target] = red / alpha
      colours[1].values[target] = green / alpha
      colours[2].values[target] = blue / alpha
    }
  }
  return { colours, opacity }
}

/**
 * The colour along the rim of what is opaque, where the rim has one colour and much of the inside another; undefined
 * where the opaque part is the drawing itself.
 */
function groundOfCard(colours: Colours, solid: Plane): number[] | undefined {
  const { width, height, values } = solid
  const inside: number[] = []
  const rim: number[] = []
  for (let index = 0; index < values.length; index++) {
    if (values[index] === 0) continue
    const [x, y] = [index % width, Math.floor(index / width)]
    const reach = 2
    let isRim = false
    for (let row = Math.max(0, y - reach); row <= Math.min(height - 1, y + reach) && !isRim; row++) {
      for (let column = Math.max(0, x - reach); column <= Math.min(width - 1, x + reach); column++) {
        if (values[row * width + column] === 0) isRim = true
      }
    }
    ;(isRim ? rim : inside).push(index)
  }
  if (rim.length === 0 || inside.length === 0) return undefined
  const ground = colours.map((channel) =>
    quantile(
      rim.map((index) => channel.values[index]),
      0.5,
    ),
  )
  const distance = (index: number): number =>
    Math.hypot(...colours.map((channel, k) => channel.values[index] - ground[k]))
  const spread = quantile(rim.map(distance), 0.8)
  const others = inside.filter((index) => distance(index) > Math.max(48, 3 * spread)).length
  return others > 0.003 * (inside.length + rim.length) ? ground : undefined
}

function range(values: Float32Array): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  return [least, most]
}
