import { type Box, type Plane, plane } from './plane'

/**
 * A box of a plane at another size. Where it shrinks, each value is the mean over the area that it covers; where it
 * grows, it is interpolated between its neighbours.
 *
 * @param box may reach over the plane's edges, where everything is 0
 */
export function resample(source: Plane, box: Box, width: number, height: number): Plane {
  const horizontal = weights(box.left, box.right, width, source.width)
  const vertical = weights(box.top, box.bottom, height, source.height)
  const rows = new Float32Array(source.height * width)
  const first = Math.min(...vertical.map(({ from }) => from))
  const last = Math.max(...vertical.map(({ from, shares }) => from + shares.length))
  for (let y = first; y < last; y++) {
    for (let x = 0; x < width; x++) {
      const { from, shares } = horizontal[x]
      let sum = 0
      for (let k = 0; k < shares.length; k++) sum += shares[k] * source.values[y * source.width + from + k]
      rows[y * width + x] = sum
    }
  }
  const target = plane(width, height)
  for (let y = 0; y < height; y++) {
    const { from, shares } = vertical[y]
    for (let k = 0; k < shares.length; k++) {
      const row = (from + k) * width
      for (let x = 0; x < width; x++) target.values[y * width + x] += shares[k] * rows[row + x]
    }
  }
  return target
}

/** What each source index gives to a target index; the shares add up to one where the source is. */
interface Share {
  from: number
  shares: Float32Array
}

/** Area shares, or those of a line between two neighbours where a target is smaller than a source pixel. */
function weights(start: number, end: number, count: number, length: number): Share[] {
  const step = (end - start) / count
  const reach = Math.max(step, 1) / 2
  return Array.from({ length: count }, (_, index) => {
    const centre = start + (index + 0.5) * step
    const from = clamp(Math.floor(centre - reach), 0, length - 1)
    const to = clamp(Math.ceil(centre + reach), from + 1, length)
    const shares = new Float32Array(to - from)
    for (let k = Math.floor(centre - reach); k < centre + reach; k++) {
      const covered = Math.min(k + 1, centre + reach) - Math.max(k, centre - reach)
      if (k >= from && k < to) shares[k - from] += Math.max(0, covered) / (2 * reach)
    }
    return { from, shares }
  })
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
