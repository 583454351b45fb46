import { sha256 } from '@rowwise/host'
import { ChecksumError } from '../errors'
import type { PublishedFile } from '../variants'

/** @throws {@link ChecksumError} unless the bytes are those that were published. */
export async function verify(bytes: Uint8Array, published: PublishedFile, where: string, fix: string): Promise<void> {
  const found = await sha256(bytes)
  if (found === published.sha256) return
  throw new ChecksumError(
    `${where} has SHA-256 ${found}, the published ${published.name} has ${published.sha256}; ${fix}`,
  )
}
