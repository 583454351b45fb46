import { type Plane, plane } from './plane'

/** The mean of the pixels up to `radius` away in each direction; at the edges of those that there are. */
export function boxBlur(source: Plane, radius: number): Plane {
  return alongBoth(source, (line, result) => {
    let sum = 0
    let count = 0
    for (let ahead = 0; ahead < Math.min(radius, line.length); ahead++, count++) sum += line[ahead]
    for (let index = 0; index < line.length; index++) {
      if (index + radius < line.length) {
        sum += line[index + radius]
        count += 1
      }
      if (index - radius - 1 >= 0) {
        sum -= line[index - radius - 1]
        count -= 1
      }
      result[index] = sum / count
    }
  })
}

/** The largest value up to `radius` away in each direction. */
export function slidingMaximum(source: Plane, radius: number): Plane {
  const queue = new Int32Array(Math.max(source.width, source.height))
  return alongBoth(source, (line, result) => {
    let [head, tail, ahead] = [0, 0, 0]
    for (let index = 0; index < line.length; index++) {
      for (; ahead < Math.min(line.length, index + radius + 1); ahead++) {
        while (tail > head && line[queue[tail - 1]] <= line[ahead]) tail -= 1
        queue[tail++] = ahead
      }
      while (queue[head] < index - radius) head += 1
      result[index] = line[queue[head]]
    }
  })
}

/** Applies a filter of one direction to the rows, then to the columns. */
function alongBoth(
  { width, height, values }: Plane,
  filter: (line: Float32Array, result: Float32Array) => void,
): Plane {
  const filtered = new Float32Array(values.length)
  for (let start = 0; start < values.length; start += width) {
    filter(values.subarray(start, start + width), filtered.subarray(start, start + width))
  }
  const column = new Float32Array(height)
  const result = new Float32Array(height)
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) column[y] = filtered[y * width + x]
    filter(column, result)
    for (let y = 0; y < height; y++) filtered[y * width + x] = result[y]
  }
  return plane(width, height, filtered)
}
