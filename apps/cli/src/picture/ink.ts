import type { Colours } from './colours'
import { distanceToOutline, strokeWidth } from './distance'
import type { Ink } from './drawing'
import { type Contrast, contrastToLevel, contrastToSurroundings, evenLevel, grainOf, type Polarity } from './paper'
import { boxAround, choosePieces, piecesOver } from './pieces'
import { type Box, cut, extent, type Plane, plane } from './plane'
import { quantile } from './quantile'
import { onlySheet, sheetOf } from './sheet'
import { inkTone, type Tone } from './tone'
import { boxBlur, slidingMaximum } from './window'

/** Tones that differ by less than this out of 255 are taken as alike. */
const LEAST_CONTRAST = 3

/** Contrast that counts, in standard deviations of the paper's grain; a million pixels of noise reach 5. */
const SIGNIFICANT = 6

/** How wide strokes may be that a search looks for, as shares of the picture's shorter side. */
const WINDOWS = [0.06, 0.12, 0.24, 0.48]

/** The drawing in a picture; undefined where nothing stands out from the paper. */
export function findInk(colours: Colours): Ink | undefined {
  const found = search(colours)
  const sheet = found === undefined ? undefined : sheetOf(found.ink)
  if (found === undefined || sheet === undefined) return found?.ink
  const onSheet = search(onlySheet(colours, sheet))
  return onSheet !== undefined && onSheet.stroke < 0.35 * extent(onSheet.ink.box) && onSheet.level > 0.3 * found.level
    ? onSheet.ink
    : found.ink
}

function search(colours: Colours): Drawing | undefined {
  const tone = smooth(inkTone(colours))
  const grain = grainOf(tone)
  const least = Math.max(LEAST_CONTRAST, SIGNIFICANT * grain)
  const level = evenLevel(tone, grain)
  const onEven =
    level === undefined
      ? undefined
      : outer(
          drawing(tone, contrastToLevel(tone, level, 'dark'), least),
          drawing(tone, contrastToLevel(tone, level, 'bright'), least),
        )
  return onEven ?? onUneven(tone, least)
}

interface Drawing {
  ink: Ink
  polarity: Polarity
  /** The contrast of its strongest pixels. */
  level: number
  /** Sum of the contrast of its pixels. */
  weight: number
  /** How wide its strokes are, in pixels. */
  stroke: number
  /** How much of its outline is where the tone changes, from 0 to 1. */
  sharp: number
}

/**
 * Looks for strokes of growing width. The narrowest window that shows most of what any window shows is right: smaller
 * ones miss the middle of strokes, larger ones take edges of shadows along.
 */
function onUneven(tone: Tone, least: number): Drawing | undefined {
  const shorter = Math.min(tone.width, tone.height)
  const find = (radius: number, polarity: Polarity): Drawing | undefined =>
    drawing(tone, contrastToSurroundings(tone, radius, polarity), least)
  const found = WINDOWS.map((share) => Math.max(1, Math.round((share * shorter) / 2)))
    .map((radius) => ({ radius, drawing: outer(find(radius, 'dark'), find(radius, 'bright')) }))
    .filter(({ radius, drawing }) => drawing !== undefined && drawing.stroke < 0.65 * (2 * radius + 1))
  const most = Math.max(...found.map(({ drawing }) => drawing?.weight ?? 0))
  const first = found.find(({ drawing }) => drawing !== undefined && drawing.weight > 0.75 * most)
  if (first?.drawing === undefined) return undefined
  const wide = Math.round(1.5 * first.drawing.stroke)
  const whole = wide > first.radius ? find(wide, first.drawing.polarity) : undefined
  return whole !== undefined && whole.weight > 0.9 * first.drawing.weight ? whole : first.drawing
}

/** Takes the grain out of a photograph; leaves a picture without grain as it is. */
function smooth(tone: Tone): Tone {
  let smoothed = tone
  for (let pass = 0; pass < 2 && grainOf(smoothed) > 2 && Math.min(tone.width, tone.height) > 100; pass++) {
    smoothed = { ...boxBlur(smoothed, 1), isBrightness: tone.isBrightness }
  }
  return smoothed
}

/** Of dark and bright strokes the stronger, or the sharper; of equals those that lie around the others, which are the paper between. */
function outer(first: Drawing | undefined, second: Drawing | undefined): Drawing | undefined {
  if (first === undefined || second === undefined) return first ?? second
  if (first.level > 2 * second.level) return first
  if (second.level > 2 * first.level) return second
  if (Math.abs(first.sharp - second.sharp) > 0.1) return first.sharp > second.sharp ? first : second
  const [a, b] = [first.ink.box, second.ink.box]
  return b.left - a.left + (b.top - a.top) + (a.right - b.right) + (a.bottom - b.bottom) >= 0 ? first : second
}

/** The strongest drawing of a contrast; undefined where there is none of at least so much. */
function drawing(tone: Tone, contrast: Contrast, least: number): Drawing | undefined {
  const rest = plane(contrast.width, contrast.height, contrast.values.slice())
  const count = rest.values.length
  for (let round = 0; round < 4; round++) {
    const level = quantile(rest.values, 1 - Math.max(4, 0.0002 * count) / count)
    if (level < least) return undefined
    const { pieces, labels } = piecesOver(rest, level / 2, tone, contrast.difference)
    const chosen = choosePieces(pieces, rest.width, rest.height)
    if (chosen !== undefined) {
      const own = new Set(chosen.map(({ label }) => label))
      const ink = inkOf(
        contrast,
        boxAround(chosen),
        labels.map((label) => (label === 0 ? 0 : own.has(label) ? 1 : -1)),
      )
      const weight = chosen.reduce((sum, piece) => sum + piece.weight, 0)
      const sharp = chosen.reduce((sum, piece) => sum + piece.sharp * piece.weight, 0) / weight
      return {
        ink,
        polarity: contrast.polarity,
        level,
        weight,
        sharp,
        stroke: strokeWidth(distanceToOutline(cut(ink.strength, ink.box))),
      }
    }
    for (let index = 0; index < count; index++) if (labels[index] !== 0) rest.values[index] = 0
  }
  return undefined
}

/**
 * Contrast over the strokes' own, pixel by pixel, so that a stroke in the shadow is as strong as one in the light.
 *
 * @param parts 1 for the drawing's pixels, -1 for those of other pieces, 0 elsewhere
 */
function inkOf(contrast: Plane, box: Box, parts: Int32Array): Ink {
  const { width, height } = contrast
  const core = plane(
    width,
    height,
    contrast.values.map((value, index) => (parts[index] === 1 ? value : 0)),
  )
  const level = quantile(
    core.values.filter((value) => value > 0),
    0.8,
  )
  const radius = Math.max(1, Math.round(0.08 * extent(box)))
  const surroundings = boxBlur(slidingMaximum(core, radius), radius)
  const near = slidingMaximum(core, 2)
  const strength = plane(width, height)
  for (let index = 0; index < parts.length; index++) {
    if (near.values[index] === 0 || parts[index] === -1) continue
    const full = Math.max(0.5 * level, Math.min(level, surroundings.values[index]))
    strength.values[index] = Math.min(1, contrast.values[index] / full)
  }
  return { strength, box }
}
