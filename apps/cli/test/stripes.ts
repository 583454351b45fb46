import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** An IDX file of unsigned bytes. */
export function idx(shape: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt32BE(0x0800 + shape.length)
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis)
  return Buffer.concat([header, data])
}

/** What {@link writeStripes} makes. */
export interface StripesOptions {
  side?: number
  testSide?: number
  classes?: number
}

/** A data set in MNIST's format: 60 images of `side` pixels a side, half of which are bright. */
export function writeStripes(directory: string, options: StripesOptions = {}): void {
  const { side = 4, testSide = side, classes = 12 } = options
  mkdirSync(directory, { recursive: true })
  for (const [split, size] of [
    ['train', side],
    ['t10k', testSide],
  ] as const) {
    const pixels = Uint8Array.from({ length: 60 * size * size }, (_, at) => (at % 2 === 0 ? 255 : 0))
    const labels = Uint8Array.from({ length: 60 }, (_, image) => image % classes)
    writeFileSync(join(directory, `${split}-images-idx3-ubyte`), idx([60, size, size], pixels))
    writeFileSync(join(directory, `${split}-labels-idx1-ubyte`), idx([60], labels))
  }
}
