import { md5, sha256 } from '@rowwise/host'
import { ChecksumError, LoaderOptionError } from '../errors'
import type { PublishedFile } from '../variants'

/**
 * @throws {@link ChecksumError} unless the bytes are those that were published; {@link LoaderOptionError} where a browser cannot tell: it has
 * no MD5.
 */
export async function verify(bytes: Uint8Array, published: PublishedFile, where: string, fix: string): Promise<void> {
  const [name, expected] = published.sha256 ? ['SHA-256', published.sha256] : ['MD5', published.md5]
  const found = published.sha256 ? await sha256(bytes) : md5(bytes)
  if (found === undefined) {
    throw new LoaderOptionError(
      `${published.name} is published with an MD5 sum, which cannot be checked here; pass the files' address as root`,
    )
  }
  if (found === expected) return
  throw new ChecksumError(`${where} has ${name} ${found}, the published ${published.name} has ${expected}; ${fix}`)
}
