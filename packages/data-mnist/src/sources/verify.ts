import { ChecksumError } from '../errors'
import type { PublishedFile } from '../variants'

/** @throws {@link ChecksumError} unless the bytes are those that were published. */
export async function verify(
  bytes: Uint8Array,
  { sha256, name }: PublishedFile,
  where: string,
  mend: string,
): Promise<void> {
  const digest = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (found === sha256) return
  throw new ChecksumError(`${where} has SHA-256 ${found}, the published ${name} has ${sha256}; ${mend}`)
}
