import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { JobRefusedError } from '../errors'
import { show } from '../space'
import { filesBelow } from './directory'

/** What jobs leave for those that go on from them, and for whoever wants the best weights. */
export interface FileStore {
  /** Keeps what is in a directory as what a job of a set left. What is kept already may stay: it is the same. */
  save(set: string, key: string, directory: string): Promise<void>
  /** Fills a directory with what a job left; whether it left something. */
  restore(set: string, key: string, directory: string): Promise<boolean>
  /** Forgets what a job left. */
  discard(set: string, key: string): Promise<void>
}

/** A job leaves a handful of files. */
export const MAX_FILES = 64

/** A file's path in a job's directory: names with '/' between, none of which leads out of it. */
const FILE_NAME = /^(?:[A-Za-z0-9_-][\w.-]{0,99}\/){0,4}[A-Za-z0-9_-][\w.-]{0,99}$/

/** The files of a directory by their path in it. */
export async function readFrom(directory: string): Promise<Record<string, Buffer>> {
  const names = await filesBelow(directory)
  requireNames(names, 'a job')
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name))] as const)),
  )
}

/**
 * Writes files into a directory, and nowhere else.
 *
 * @throws {@link JobRefusedError} for a name that leads elsewhere; nothing is written then.
 */
export async function writeInto(
  directory: string,
  files: Readonly<Record<string, Uint8Array>>,
  where: string,
): Promise<void> {
  requireNames(Object.keys(files), where)
  for (const [name, content] of Object.entries(files)) {
    const file = join(directory, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
}

/** @throws {@link JobRefusedError} that names the first that is none. */
export function requireNames(names: readonly unknown[], where: string): asserts names is readonly string[] {
  const stray = names.find((name) => typeof name !== 'string' || !FILE_NAME.test(name))
  if (stray === undefined) return
  throw new JobRefusedError(`${where} has a file ${show(stray)}, which is no name of a file here`)
}
