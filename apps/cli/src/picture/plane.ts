/** One number a pixel, row by row. */
export interface Plane {
  width: number
  height: number
  /** `[height, width]` */
  values: Float32Array
}

/** A plane of a size, of zeros or with the values given. */
export function plane(width: number, height: number, values: Float32Array = new Float32Array(width * height)): Plane {
  return { width, height, values }
}

/** A part of a plane, in pixels; `right` and `bottom` are the first that do not belong to it. */
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** The longer side of a box. */
export function extent({ left, top, right, bottom }: Box): number {
  return Math.max(right - left, bottom - top)
}

/** The smallest box around two others. */
export function join(a: Box, b: Box): Box {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  }
}

/** A part of a plane. */
export function cut(source: Plane, { left, top, right, bottom }: Box): Plane {
  const part = plane(right - left, bottom - top)
  for (let row = 0; row < part.height; row++) {
    const start = (top + row) * source.width
    part.values.set(source.values.subarray(start + left, start + right), row * part.width)
  }
  return part
}

/** The plane with every sign turned. */
export function negative({ width, height, values }: Plane): Plane {
  return plane(
    width,
    height,
    values.map((value) => -value),
  )
}

/** The values of the outermost pixels. */
export function border({ width, height, values }: Plane): number[] {
  const result: number[] = []
  for (let y = 0; y < height; y++) {
    const step = y === 0 || y === height - 1 || width === 1 ? 1 : width - 1
    for (let x = 0; x < width; x += step) result.push(values[y * width + x])
  }
  return result
}
