import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '@rowwise/errors'
import { DataNotFoundError } from '../errors'

/** Refuses what is not a directory, before its files are looked for one by one. */
export async function checkRoot(root: string): Promise<void> {
  const found = await stat(root).catch((cause) => {
    throw new DataNotFoundError(
      `the data directory ${root} cannot be read: ${reasonOf(cause)}; pass the directory of the four IDX files as root`,
      { cause },
    )
  })
  if (found.isDirectory()) return
  throw new DataNotFoundError(`${root} is a file; pass the directory of the four IDX files as root`)
}

/** Reads `train-images-idx3-ubyte`, the older `train-images.idx3-ubyte`, or either with `.gz`. */
export async function readFromRoot(root: string, name: string): Promise<Uint8Array> {
  const older = name.replace('-idx', '.idx')
  const candidates = [name, `${name}.gz`, older, `${older}.gz`]
  for (const candidate of candidates) {
    try {
      return await readFile(join(root, candidate))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw new DataNotFoundError(`${join(root, candidate)} cannot be read: ${reasonOf(cause)}`, { cause })
    }
  }
  throw new DataNotFoundError(
    `${root} holds no ${name} (looked for ${candidates.join(', ')}); pass the directory of the four IDX files as root`,
  )
}
