import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '@rowwise/errors'
import { SweepStoreError } from '../errors'

/** Files that belong to a program that ran, and not to what it made. */
const PASSING = /^lock-\d+\.json$|\.tmp$/

/**
 * Copies a directory as a whole or not at all. Where the target is there already it stays: a job's files are the same, whoever makes
 * them.
 *
 * @returns whether there was something to copy
 */
export async function copyDirectory(from: string, to: string): Promise<boolean> {
  if (!(await isThere(from))) return false
  if (await isThere(to)) return true
  const temporary = `${to}.${process.pid}.${randomUUID()}.tmp`
  try {
    await copyInto(from, temporary)
    await rename(temporary, to)
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true })
    if (await isThere(to)) return true // another was faster
    throw new SweepStoreError(`${to} cannot be written: ${reasonOf(cause)}; fix that, and run the same command again`, {
      cause,
    })
  }
  return true
}

/** Copies what is in a directory into another. */
export async function copyInto(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyInto(source, target)
    else if (entry.isFile() && !PASSING.test(entry.name)) await copyFile(source, target, constants.COPYFILE_FICLONE)
  }
}

/** The files below a directory, by their path from there with '/' between. */
export async function filesBelow(directory: string, prefix = ''): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isDirectory()) names.push(...(await filesBelow(directory, name)))
    else if (entry.isFile() && !PASSING.test(entry.name)) names.push(name)
  }
  return names.sort()
}

/** Whether something is there. */
export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
