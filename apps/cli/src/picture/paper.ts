import { border, negative, type Plane, plane } from './plane'
import { quantile } from './quantile'
import type { Tone } from './tone'
import { slidingMaximum } from './window'

/** Whether ink is darker than its paper, or brighter. */
export type Polarity = 'dark' | 'bright'

/** What ink takes from its paper's tone, or adds to it: 0 on the paper, larger the stronger the ink. */
export interface Contrast extends Plane {
  polarity: Polarity
  /** The same in the tone's own units, where `values` are corrected for the light. */
  difference: Float32Array
}

/** The contrast of ink to paper of one tone. */
export function contrastToLevel(tone: Tone, level: number, polarity: Polarity): Contrast {
  const sign = polarity === 'dark' ? 1 : -1
  const difference = tone.values.map((value) => Math.max(0, sign * (level - value)))
  return { ...plane(tone.width, tone.height, difference), difference, polarity }
}

/**
 * The contrast of ink to paper whose tone changes from place to place.
 *
 * The paper at a place is the brightest tone that every window over it has (a morphological closing), which loses strokes
 * narrower than the window and keeps the edges of shadows that are wider. In the shadow ink and paper are both darker, so
 * the contrast of dark ink is a share of its paper's brightness.
 *
 * @param radius of the window, which is twice as wide and one pixel more
 */
export function contrastToSurroundings(tone: Tone, radius: number, polarity: Polarity): Contrast {
  const { width, height } = tone
  const signed = polarity === 'dark' ? tone : negative(tone)
  const paper = negative(slidingMaximum(negative(slidingMaximum(signed, radius)), radius)).values
  const isShare = polarity === 'dark' && tone.isBrightness
  const brightest = isShare ? quantile(paper, 0.95) : 1
  const raw = signed.values.map((value, index) => paper[index] - value)
  const bias = quantile(raw, 0.5) // the window's maximum is over the paper's mean by what the grain varies
  const difference = raw.map((value) => Math.max(0, value - bias))
  const values = isShare
    ? difference.map((value, index) => (value / Math.max(paper[index], 0.15 * brightest)) * brightest)
    : difference
  return { ...plane(width, height, values), difference, polarity }
}

/**
 * The standard deviation from pixel to pixel, by the quarter of them that vary least: where strokes leave no more than a
 * quarter of the picture even, that quarter is still paper.
 */
export function grainOf({ width, height, values }: Plane): number {
  if (width < 3 || height < 3) return 0
  const variations = new Float32Array((width - 2) * (height - 2))
  for (let y = 1, target = 0; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++, target++) {
      const at = y * width + x
      const sides = values[at - 1] + values[at + 1] + values[at - width] + values[at + width]
      const corners = values[at - width - 1] + values[at - width + 1] + values[at + width - 1] + values[at + width + 1]
      variations[target] = Math.abs(4 * values[at] - 2 * sides + corners) / 6
    }
  }
  return quantile(variations, 0.25) / 0.3186
}

/** The paper's tone where it has one: along most of the border, or in most of a picture of two tones. */
export function evenLevel(tone: Plane, grain: number): number | undefined {
  const ring = border(tone)
  const level = quantile(ring, 0.5)
  const [least, most] = [quantile(tone.values, 0.0005), quantile(tone.values, 0.9995)]
  const tolerance = Math.max(0.08 * (most - least), 3 * grain)
  const near = (values: ArrayLike<number>, centre: number): number => {
    let count = 0
    for (let index = 0; index < values.length; index++) count += Number(Math.abs(values[index] - centre) <= tolerance)
    return count / values.length
  }
  if (near(ring, level) > 0.9) return near(tone.values, level) > 0.2 ? level : undefined
  const [low, high] = [near(tone.values, least), near(tone.values, most)]
  if (low + high < 0.85) return undefined
  return near(ring, least) > near(ring, most) ? least : most
}
