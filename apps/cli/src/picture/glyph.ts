import { distanceToOutline, strokeWidth } from './distance'
import type { Ink } from './drawing'
import { type Box, extent, type Plane, plane } from './plane'
import { resample } from './resample'

/** Subpixels a pixel of the result. */
const FINE = 6

/** MNIST's digits are 20 of 28 pixels long, strokes two to four pixels wide. */
const FIELD = 20 / 28
export const STROKES = { thin: 2, thick: 3, adjust: 1 }

/** Draws ink as MNIST's digits are drawn: its longer side 20 of 28 pixels, its centre of mass in the middle. */
export function glyph({ strength, box }: Ink, side: number): Uint8Array {
  const length = FIELD * side
  let fine = trace(strength, box, length * FINE)
  let distance = distanceToOutline(fine)
  const width = strokeWidth(distance) / FINE
  const goal = Math.min(Math.max(width, (STROKES.thin / 28) * side), (STROKES.thick / 28) * side)
  const growth = (goal - width) / 2
  fine = trace(strength, box, (length - 2 * growth) * FINE)
  distance = distanceToOutline(fine)
  const drawn = distance.values.map((value) => Math.min(1, Math.max(0, value + 0.5 + growth * FINE)))
  return centre(plane(fine.width, fine.height, drawn), side)
}

const MARGIN = 4 * FINE

export function trace(strength: Plane, box: Box, length: number): Plane {
  const scale = length / extent(box)
  const [width, height] = [box.right - box.left, box.bottom - box.top]
  const [columns, rows] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
  const [dx, dy] = [(MARGIN * width) / columns, (MARGIN * height) / rows]
  return resample(
    strength,
    { left: box.left - dx, top: box.top - dy, right: box.right + dx, bottom: box.bottom + dy },
    columns + 2 * MARGIN,
    rows + 2 * MARGIN,
  )
}

function centre(fine: Plane, side: number): Uint8Array {
  const [columns, rows] = [Math.ceil(fine.width / FINE), Math.ceil(fine.height / FINE)]
  const coarse = resample(fine, { left: 0, top: 0, right: columns * FINE, bottom: rows * FINE }, columns, rows)
  let [mass, x, y] = [0, 0, 0]
  coarse.values.forEach((value, index) => {
    mass += value
    x += value * (index % columns)
    y += value * Math.floor(index / columns)
  })
  const left = Math.floor(side / 2) - Math.round(x / mass)
  const top = Math.floor(side / 2) - Math.round(y / mass)
  const pixels = new Uint8Array(side * side)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [to, down] = [left + column, top + row]
      if (to < 0 || down < 0 || to >= side || down >= side) continue
      pixels[down * side + to] = Math.round(255 * Math.min(1, coarse.values[row * columns + column]))
    }
  }
  return pixels
}
