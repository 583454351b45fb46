import type { Colours } from './colours'
import { border, type Plane, plane } from './plane'
import { quantile } from './quantile'
import { boxBlur } from './window'

/** Share of strong pixels that one line through the colours may leave unexplained; a pen of several colours needs more. */
const UNEXPLAINED = 0.15

/** One number a pixel that tells ink from paper. */
export interface Tone extends Plane {
  /** Whether it grows with the light, so that half the light is half the tone. */
  isBrightness: boolean
}

/**
 * One tone a pixel, along the line through the colours on which ink and paper are farthest apart: brightness for a pencil,
 * red against green for a pen that is no darker than its paper. Inks of several colours have no such line; their tone is
 * the distance from the paper's colour.
 */
export function inkTone(colours: Colours): Tone {
  if (colours.length === 1) return { ...colours[0], isBrightness: false }
  const [{ width, height }] = colours
  const radius = Math.max(3, Math.round(0.1 * Math.min(width, height)))
  const deviations = colours.map((channel) => {
    const surroundings = boxBlur(channel, radius)
    return channel.values.map((value, index) => value - surroundings.values[index])
  })
  const axis = principalAxis(deviations)
  const strength = deviations[0].map((_, index) => Math.hypot(...deviations.map((channel) => channel[index])))
  const strong = 0.5 * quantile(strength, 0.99)
  let [many, unexplained] = [0, 0]
  for (let index = 0; index < strength.length; index++) {
    if (strength[index] <= strong) continue
    many += 1
    const along = axis.reduce((sum, share, k) => sum + share * deviations[k][index], 0)
    if (Math.abs(along) < 0.7 * strength[index]) unexplained += 1
  }
  const ground = colours.map((channel) => quantile(border(channel), 0.5))
  const sum = axis.reduce((total, share) => total + Math.abs(share), 0)
  const tone = plane(width, height)
  for (let index = 0; index < tone.values.length; index++) {
    tone.values[index] =
      unexplained > UNEXPLAINED * many
        ? Math.hypot(...colours.map((channel, k) => channel.values[index] - ground[k])) / Math.sqrt(3)
        : colours.reduce((total, channel, k) => total + (axis[k] / sum) * channel.values[index], 0)
  }
  return { ...tone, isBrightness: unexplained <= UNEXPLAINED * many && axis.every((share) => share >= 0) }
}

/** The direction of the largest deviations, each weighted by its square, so that ink outweighs the paper's grain. */
function principalAxis(deviations: readonly Float32Array[]): number[] {
  const moments = [0, 0, 0, 0, 0, 0, 0, 0, 0]
  for (let index = 0; index < deviations[0].length; index++) {
    const vector = [deviations[0][index], deviations[1][index], deviations[2][index]]
    const weight = vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2
    for (let k = 0; k < 9; k++) moments[k] += weight * vector[Math.floor(k / 3)] * vector[k % 3]
  }
  let axis = [0.577, 0.578, 0.576]
  let largest = 0
  for (let k = 0; k < 3; k++) if (moments[4 * k] > moments[4 * largest]) largest = k
  if (moments[4 * largest] > 0) axis = moments.slice(3 * largest, 3 * largest + 3)
  for (let step = 0; step < 50; step++) {
    const next = [0, 1, 2].map((row) => axis.reduce((sum, value, column) => sum + moments[3 * row + column] * value, 0))
    const length = Math.hypot(...next)
    if (length === 0) break
    axis = next.map((value) => value / length)
  }
  const length = Math.hypot(...axis) * Math.sign(axis[0] + axis[1] + axis[2] || 1)
  return axis.map((value) => value / length)
}
