import { createHash } from 'node:crypto'
import { ChecksumError } from '../errors'
import type { PublishedFile } from '../variants'

/** @throws {@link ChecksumError} unless the bytes are those that were published. */
export function verify(bytes: Uint8Array, { sha256, name }: PublishedFile, where: string, mend: string): void {
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === sha256) return
  throw new ChecksumError(`${where} has SHA-256 ${found}, the published ${name} has ${sha256}; ${mend}`)
}
