import { readFile } from 'node:fs/promises'
import { PNG } from 'pngjs'
import { UsageError } from './exit'

/** A picture of a digit needs no more; a file that claims more is an attack on memory. */
const MAX_SIDE = 4096

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/**
 * Reads a PNG as a square grey image, bright on dark, of the size the model reads: averaged down or repeated up, and
 * inverted when its border is bright.
 */
export async function readPng(
  path: string,
  side: number,
): Promise<{ pixels: Uint8Array; height: number; width: number }> {
  const bytes = await readFile(path).catch((cause) => {
    throw new UsageError(`${path} cannot be read: ${cause.message}`, { cause })
  })
  checkHeader(bytes, path)
  const { width, height, data } = decode(bytes, path)
  const grey = toGrey(data)
  const isDarkOnBright = borderMean(grey, height, width) > 127
  const brightOnDark = isDarkOnBright ? grey.map((value) => 255 - value) : grey
  return { pixels: resample(brightOnDark, height, width, side), height: side, width: side }
}

function checkHeader(bytes: Buffer, path: string): void {
  if (bytes.length < 24 || !bytes.subarray(0, 8).equals(SIGNATURE)) {
    throw new UsageError(`${path} is no PNG file; convert the image to PNG`)
  }
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new UsageError(
      `${path} is ${width} × ${height} pixels, expected at most ${MAX_SIDE} × ${MAX_SIDE}; scale it down`,
    )
  }
}

function decode(bytes: Buffer, path: string): PNG {
  try {
    return PNG.sync.read(bytes)
  } catch (cause) {
    throw new UsageError(`${path} is a damaged PNG file: ${(cause as Error).message}`, { cause })
  }
}

/** Luma of Rec. 601 over black, so that transparent is background. */
function toGrey(rgba: Buffer): Uint8Array {
  return Uint8Array.from({ length: rgba.length / 4 }, (_, pixel) => {
    const [red, green, blue, alpha] = rgba.subarray(4 * pixel, 4 * pixel + 4)
    return ((0.299 * red + 0.587 * green + 0.114 * blue) * alpha) / 255
  })
}

function borderMean(grey: Uint8Array, height: number, width: number): number {
  let [sum, count] = [0, 0]
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (row > 0 && row < height - 1 && column > 0 && column < width - 1) continue
      sum += grey[row * width + column]
      count += 1
    }
  }
  return sum / count
}

/** Each target pixel is the mean of the source pixels that it covers. */
function resample(grey: Uint8Array, height: number, width: number, side: number): Uint8Array {
  const from = (index: number, length: number): number => Math.floor((index * length) / side)
  const target = new Uint8Array(side * side)
  for (let row = 0; row < side; row++) {
    const [top, bottom] = [from(row, height), Math.max(from(row + 1, height), from(row, height) + 1)]
    for (let column = 0; column < side; column++) {
      const [left, right] = [from(column, width), Math.max(from(column + 1, width), from(column, width) + 1)]
      let sum = 0
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += grey[y * width + x]
      target[row * side + column] = sum / ((bottom - top) * (right - left))
    }
  }
  return target
}
