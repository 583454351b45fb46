import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { makeDirectory, writeFileAtomically } from '@rowwise/atomic-file'
import { reasonOf } from '@rowwise/errors'
import { UsageError } from '../exit'

/** Without one of these a run or a sweep cannot go on. */
const OWN_FILES: readonly string[] = ['config.json', 'manifest.json', 'metrics.jsonl', 'definition.json']

/**
 * Writes a file that an option names, and the directories above it.
 *
 * @throws {@link UsageError} that names the option.
 */
export async function writeOutput(option: string, file: string, content: string | Uint8Array): Promise<void> {
  if (OWN_FILES.includes(basename(file)) && existsSync(file)) {
    throw new UsageError(`${option} ${file} is a file of a run or a sweep, which needs it; choose another name`)
  }
  try {
    await makeDirectory(dirname(file))
    await writeFileAtomically(file, content)
  } catch (cause) {
    throw new UsageError(`${option} ${file} cannot be written: ${reasonOf(cause)}; choose another place`, { cause })
  }
}
