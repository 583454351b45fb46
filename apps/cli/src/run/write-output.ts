import { dirname } from 'node:path'
import { makeDirectory, writeFileAtomically } from '@rowwise/atomic-file'
import { reasonOf } from '@rowwise/errors'
import { UsageError } from '../exit'

/**
 * Writes a file that an option names, and the directories above it.
 *
 * @throws {@link UsageError} that names the option.
 */
export async function writeOutput(option: string, file: string, content: string | Uint8Array): Promise<void> {
  try {
    await makeDirectory(dirname(file))
    await writeFileAtomically(file, content)
  } catch (cause) {
    throw new UsageError(`${option} ${file} cannot be written: ${reasonOf(cause)}; choose another place`, { cause })
  }
}
