import { type Plane, plane } from './plane'

/** The distance of each pixel to the outline of what is over a half, in pixels, positive within. */
export function distanceToOutline(source: Plane): Plane {
  const inside = squaredDistances(source, (value) => value <= 0.5)
  const outside = squaredDistances(source, (value) => value > 0.5)
  return plane(
    source.width,
    source.height,
    source.values.map((value, index) =>
      value > 0.5 ? Math.sqrt(inside[index]) - 0.5 : 0.5 - Math.sqrt(outside[index]),
    ),
  )
}

/** How wide strokes are: a strip's mean distance from its outline is a quarter of its width. */
export function strokeWidth({ values }: Plane): number {
  let [sum, count] = [0, 0]
  for (const value of values) {
    if (value <= 0) continue
    sum += value
    count += 1
  }
  return (4 * sum) / Math.max(1, count)
}

/** To the nearest pixel of a kind (Felzenszwalb and Huttenlocher 2012: the lower envelope of parabolas). */
function squaredDistances({ width, height, values }: Plane, isTarget: (value: number) => boolean): Float64Array {
  const far = (width + height) ** 2
  const result = Float64Array.from(values, (value) => (isTarget(value) ? 0 : far))
  const longer = Math.max(width, height)
  const line = new Float64Array(longer)
  const vertices = new Int32Array(longer)
  const starts = new Float64Array(longer)
  const along = (start: number, step: number, count: number): void => {
    for (let k = 0; k < count; k++) line[k] = result[start + k * step]
    let last = 0
    vertices[0] = 0
    starts[0] = Number.NEGATIVE_INFINITY
    for (let k = 1; k < count; k++) {
      let meet = Number.NEGATIVE_INFINITY
      for (; ; last--) {
        const vertex = vertices[last]
        meet = (line[k] + k * k - line[vertex] - vertex * vertex) / (2 * (k - vertex))
        if (meet > starts[last]) break
      }
      last += 1
      vertices[last] = k
      starts[last] = meet
    }
    for (let k = 0, at = 0; k < count; k++) {
      while (at < last && starts[at + 1] < k) at += 1
      result[start + k * step] = (k - vertices[at]) ** 2 + line[vertices[at]]
    }
  }
  for (let x = 0; x < width; x++) along(x, width, height)
  for (let y = 0; y < height; y++) along(y * width, 1, width)
  return result
}
