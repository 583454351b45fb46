import type { Colours } from './colours'
import { distanceToOutline, strokeWidth } from './distance'
import type { Ink } from './drawing'
import { type Box, cut, extent, type Plane, plane } from './plane'

/** A bright or dark area that carries a drawing itself: a sheet on a desk. */
interface Sheet {
  box: Box
  /** 1 on the sheet, also where it is drawn on; of the box's size. */
  area: Plane
}

/** A quadrilateral within a sheet fills nearly all of it, round corners and all; 0.64 of an ellipse, less of an eight. */
const QUADRILATERAL = 0.88

/** The sheet that a drawing, taken with its holes, is: solid, of four corners, with something cut out. */
export function sheetOf({ strength, box }: Ink): Sheet | undefined {
  const shape = cut(strength, box)
  const area = filled(shape)
  const holes = count(area) - shape.values.reduce((sum, value) => sum + Number(value > 0.5), 0)
  const isSolid = strokeWidth(distanceToOutline(area)) > 0.4 * extent(box)
  return holes >= 6 && isSolid && quadrilateral(area) > QUADRILATERAL * count(area) ? { box, area } : undefined
}

/** The colours of a sheet; beyond its edges those that it has along them. */
export function onlySheet(colours: Colours, { box, area }: Sheet): Colours {
  const inset = Math.max(1, Math.round(0.01 * extent(box)))
  return colours.map((channel) => {
    const { width, height, values } = cut(channel, box)
    const result = plane(width, height, values)
    for (let y = 0; y < height; y++) {
      const row = area.values.subarray(y * width, (y + 1) * width)
      const [first, last] = [row.indexOf(1) + inset, row.lastIndexOf(1) - inset]
      if (row.indexOf(1) === -1 || first > last) continue
      result.values.fill(values[y * width + first], y * width, y * width + first)
      result.values.fill(values[y * width + last], y * width + last + 1, (y + 1) * width)
    }
    return cut(result, { left: 0, top: inset, right: width, bottom: height - inset })
  })
}

/** A shape with its holes: all but what is reached from outside. */
function filled({ width, height, values }: Plane): Plane {
  const area = plane(width, height, new Float32Array(values.length).fill(1))
  const stack: number[] = []
  const visit = (at: number): void => {
    if (area.values[at] === 0 || values[at] > 0.5) return
    area.values[at] = 0
    stack.push(at)
  }
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) visit(y * width + x)
  for (let y = 0; y < height; y++) for (const x of [0, width - 1]) visit(y * width + x)
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const x = at % width
    if (x > 0) visit(at - 1)
    if (x < width - 1) visit(at + 1)
    if (at >= width) visit(at - width)
    if (at < values.length - width) visit(at + width)
  }
  return area
}

function count({ values }: Plane): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** The area of the quadrilateral between the two points that are farthest apart and those farthest to their sides. */
function quadrilateral({ width, height, values }: Plane): number {
  const points: [number, number][] = []
  for (let y = 0; y < height; y++) {
    const row = values.subarray(y * width, (y + 1) * width)
    if (row.indexOf(1) !== -1) points.push([row.indexOf(1), y], [row.lastIndexOf(1), y])
  }
  const farthest = (distance: (point: [number, number]) => number): [number, number] =>
    points.reduce((best, point) => (distance(point) > distance(best) ? point : best))
  const [middleX, middleY] = [width / 2, height / 2]
  const start = farthest(([x, y]) => Math.hypot(x - middleX, y - middleY))
  const end = farthest(([x, y]) => Math.hypot(x - start[0], y - start[1]))
  const side = ([x, y]: [number, number]): number =>
    (end[0] - start[0]) * (y - start[1]) - (end[1] - start[1]) * (x - start[0])
  return (side(farthest(side)) - side(farthest((point) => -side(point)))) / 2
}
