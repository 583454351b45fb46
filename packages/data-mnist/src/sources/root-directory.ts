import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DataNotFoundError } from '../errors'

/** Reads `train-images-idx3-ubyte`, the older `train-images.idx3-ubyte`, or either with `.gz`. */
export async function readFromRoot(root: string, name: string): Promise<Uint8Array> {
  const older = name.replace('-idx', '.idx')
  const candidates = [name, `${name}.gz`, older, `${older}.gz`]
  for (const candidate of candidates) {
    try {
      return await readFile(join(root, candidate))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw new DataNotFoundError(`${join(root, candidate)} cannot be read: ${(cause as Error).message}`, { cause })
    }
  }
  throw new DataNotFoundError(
    `${root} holds no ${name} (looked for ${candidates.join(', ')}); pass the directory of the four IDX files as root`,
  )
}
