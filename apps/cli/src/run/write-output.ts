import { realpath, stat, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { makeDirectory, writeFileAtomically } from '@rowwise/atomic-file'
import { reasonOf } from '@rowwise/errors'
import { UsageError } from '../exit'

/** Names of the standard output. It may be a file that the shell opened, so it must not be opened again. */
const STDOUT: readonly string[] = ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']

/** Without one of these a run or a sweep cannot go on. */
const OWN_FILES: readonly string[] = ['config.json', 'manifest.json', 'metrics.jsonl', 'definition.json']

/**
 * Writes a file that an option names, and the directories above it.
 *
 * @throws {@link UsageError} that names the option.
 */
export async function writeOutput(option: string, file: string, content: string | Uint8Array): Promise<void> {
  const place = await placeOf(option, file)
  try {
    await makeDirectory(dirname(place.path))
    if (place.isFile) await writeFileAtomically(place.path, content)
    else if (isStandardOutput(file)) await new Promise<void>((done) => void process.stdout.write(content, () => done()))
    else await writeFile(place.path, content)
  } catch (cause) {
    throw new UsageError(`${option} ${file} cannot be written: ${reasonOf(cause)}; choose another place`, { cause })
  }
}

/** Whether a name is that of the standard output. */
export function isStandardOutput(file: string): boolean {
  return STDOUT.includes(file)
}

/** The target of an output: a file (links are followed), or a pipe or device, which is written to directly. */
export interface OutputPlace {
  path: string
  isFile: boolean
}

/** @throws {@link UsageError} when the name is no file's. */
export async function placeOf(option: string, file: string): Promise<OutputPlace> {
  if (file === '' || file === '-') {
    throw new UsageError(`${option} is '${file}', expected the name of a file; what goes on in a pipe is /dev/stdout`)
  }
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return { path: file, isFile: true }
  if (found.isDirectory()) throw new UsageError(`${option} ${file} is a directory; name a file in it`)
  if (isStandardOutput(file) || !found.isFile()) return { path: file, isFile: false }
  const path = await realpath(file)
  if (OWN_FILES.includes(basename(path)))
    throw new UsageError(`${option} ${file} is a file of a run or a sweep, which needs it; choose another name`)
  return { path, isFile: true }
}

/** Whether two names are of one file. */
export async function isSameFile(a: string, b: string | undefined): Promise<boolean> {
  const [one, other] = await Promise.all([a, b ?? ''].map((path) => realpath(path).catch(() => null)))
  return one !== null && one === other
}
