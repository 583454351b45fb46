/** Side of MNIST's images, and of the box that their digits were scaled into. */
export const SIDE = 28
const BOX = 20

/**
 * Makes a drawing what MNIST's authors made of theirs: scaled to fit a box of 20 × 20 pixels, keeping its proportions, and put into 28 × 28
 * with its centre of mass in the middle.
 *
 * @param ink brightness `[side, side]`, 0 to 255
 * @returns `[28, 28]`, or null when nothing is drawn
 */
export function centreDigit(ink: Uint8Array | Uint8ClampedArray, side: number): Uint8Array | null {
  const bounds = boundsOf(ink, side)
  if (bounds === null) return null
  const { left, top, width, height } = bounds
  const scale = BOX / Math.max(width, height)
  const [columns, rows] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
  const small = new Float64Array(columns * rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      small[row * columns + column] = mean(ink, side, {
        left: left + (column * width) / columns,
        top: top + (row * height) / rows,
        width: width / columns,
        height: height / rows,
      })
    }
  }
  return placeByMass(small, columns)
}

interface Box {
  left: number
  top: number
  width: number
  height: number
}

function boundsOf(ink: ArrayLike<number>, side: number): Box | null {
  let [left, top, right, bottom] = [side, side, -1, -1]
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      if (ink[row * side + column] < 32) continue
      left = Math.min(left, column)
      right = Math.max(right, column)
      top = Math.min(top, row)
      bottom = Math.max(bottom, row)
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 }
}

/** The mean brightness of the pixels that a target pixel covers. */
function mean(ink: ArrayLike<number>, side: number, { left, top, width, height }: Box): number {
  let [sum, count] = [0, 0]
  const bottom = Math.max(Math.ceil(top + height), Math.floor(top) + 1)
  const right = Math.max(Math.ceil(left + width), Math.floor(left) + 1)
  for (let row = Math.floor(top); row < Math.min(side, bottom); row++) {
    for (let column = Math.floor(left); column < Math.min(side, right); column++) {
      sum += ink[row * side + column]
      count += 1
    }
  }
  return count > 0 ? sum / count : 0
}

function placeByMass(small: Float64Array, columns: number): Uint8Array {
  let [mass, x, y] = [0, 0, 0]
  small.forEach((value, index) => {
    mass += value
    x += value * ((index % columns) + 0.5)
    y += value * (Math.floor(index / columns) + 0.5)
  })
  const left = Math.round(SIDE / 2 - x / mass)
  const top = Math.round(SIDE / 2 - y / mass)
  const image = new Uint8Array(SIDE * SIDE)
  small.forEach((value, index) => {
    const [column, row] = [left + (index % columns), top + Math.floor(index / columns)]
    if (column >= 0 && column < SIDE && row >= 0 && row < SIDE) image[row * SIDE + column] = Math.round(value)
  })
  return image
}
