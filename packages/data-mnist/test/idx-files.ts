import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The bytes of an IDX file of unsigned bytes. */
export function idx(shape: number[], data: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x0800 + shape.length)
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size)
  })
  bytes.set(Array.from(data), 4 + 4 * shape.length)
  return bytes
}

/** A directory with a data set of 2 × 3 pixel images whose pixels count up; `change` may replace or remove files. */
export async function dataDirectory(change: Record<string, Uint8Array | null> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rowwise-data-'))
  const files: Record<string, Uint8Array | null> = {
    'train-images-idx3-ubyte': idx(
      [5, 2, 3],
      Array.from({ length: 30 }, (_, i) => i),
    ),
    'train-labels-idx1-ubyte': idx([5], [3, 1, 4, 1, 5]),
    't10k-images-idx3-ubyte': idx(
      [2, 2, 3],
      Array.from({ length: 12 }, (_, i) => 100 + i),
    ),
    't10k-labels-idx1-ubyte': idx([2], [9, 2]),
    ...change,
  }
  for (const [name, bytes] of Object.entries(files)) if (bytes) await writeFile(join(directory, name), bytes)
  return directory
}
