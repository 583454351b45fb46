import { type GreyImage, type Interpolation, roundHalfEven } from './image'

/** The upper two rows of the matrix that takes a place in the output to one in the input, from the middle of both. */
export type InverseMatrix = readonly [number, number, number, number, number, number]

const { fround } = Math

/**
 * The inverse of a rotation, shear, scaling and translation about the middle, as torchvision's `_get_inverse_affine_matrix`.
 *
 * @param angle clockwise, in degrees
 * @param shear along x, in degrees
 */
export function inverseAffine(
  angle: number,
  [tx, ty]: readonly [number, number],
  scale: number,
  shear: number,
): InverseMatrix {
  const [rotation, shearX] = [(angle * Math.PI) / 180, (shear * Math.PI) / 180]
  const a = Math.cos(rotation)
  const b = -Math.cos(rotation) * Math.tan(shearX) - Math.sin(rotation)
  const c = Math.sin(rotation)
  const d = -Math.sin(rotation) * Math.tan(shearX) + Math.cos(rotation)
  const [m0, m1, m3, m4] = [d / scale, -b / scale, -c / scale, a / scale]
  return [m0, m1, m0 * -tx + m1 * -ty, m3, m4, m3 * -tx + m4 * -ty]
}

/**
 * Takes each pixel of the output from where the matrix says, with `fill` outside: torchvision's `_gen_affine_grid` and PyTorch's `grid_sample`
 * with `align_corners=False`, in float32. With `bilinear` pixels at the edge are blended with `fill` twice, as there.
 */
export function sampleGrid(
  image: GreyImage,
  matrix: InverseMatrix,
  interpolation: Interpolation,
  fill: number,
): GreyImage {
  const { data, height, width } = image
  const out = data.slice()
  const isByte = data instanceof Uint8Array
  const [halfWidth, halfHeight] = [fround(0.5 * width), fround(0.5 * height)]
  const [ax, bx, cx] = matrix.slice(0, 3).map((value) => fround(fround(value) / halfWidth))
  const [ay, by, cy] = matrix.slice(3).map((value) => fround(fround(value) / halfHeight))
  for (let row = 0; row < height; row++) {
    const y = row - 0.5 * height + 0.5
    for (let column = 0; column < width; column++) {
      const x = column - 0.5 * width + 0.5
      // A product of three terms, each sum rounded once, as a matrix product with fused multiply-add.
      const gridX = fround(cx + fround(fround(x * ax) + y * bx))
      const gridY = fround(cy + fround(fround(x * ay) + y * by))
      const inX = fround(fround(fround(fround(gridX + 1) * width) - 1) / 2)
      const inY = fround(fround(fround(fround(gridY + 1) * height) - 1) / 2)
      const value = interpolation === 'nearest' ? nearest(image, inX, inY, fill) : bilinear(image, inX, inY, fill)
      out[row * width + column] = isByte ? Math.round(value) : value
    }
  }
  return { data: out, height, width }
}

function nearest({ data, height, width }: GreyImage, x: number, y: number, fill: number): number {
  const [column, row] = [roundHalfEven(x), roundHalfEven(y)]
  return column >= 0 && column < width && row >= 0 && row < height ? data[row * width + column] : fill
}

function bilinear({ data, height, width }: GreyImage, x: number, y: number, fill: number): number {
  const [west, north] = [Math.floor(x), Math.floor(y)]
  let [value, mask] = [0, 0]
  for (let dy = 0; dy < 2; dy++) {
    for (let dx = 0; dx < 2; dx++) {
      const [column, row] = [west + dx, north + dy]
      if (column < 0 || column >= width || row < 0 || row >= height) continue
      const weight = (dx ? x - west : west + 1 - x) * (dy ? y - north : north + 1 - y)
      value += weight * data[row * width + column]
      mask += weight
    }
  }
  return value * mask + (1 - mask) * fill
}
