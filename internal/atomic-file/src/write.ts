import type { FileHandle } from 'node:fs/promises'
import { openForSaving, syncDirectory, syncFile } from './durable'
import { makeDirectory } from './make-directory'

/** The file system without an import, so that a bundle for browsers, which never comes here, has none to resolve. */
const fs = (): typeof import('node:fs/promises') => process.getBuiltinModule('node:fs').promises
const path = (): typeof import('node:path') => process.getBuiltinModule('node:path')

/** A temporary file's name tells whose it is: `<name>.<process id>.<unique>.tmp`. */
const TEMPORARY = /^(.+)\.(\d+)\.[0-9a-f-]{36}\.tmp$/

/** The name of the files of {@link checkCanSave}. */
const PROBE = 'probe'

/** A process id may have been given to another program since; by then its temporary files are this old. */
const SURELY_STALE_MILLISECONDS = 3_600_000

/** Replaces a file as a whole or not at all: unique temporary file beside it, fsync, rename, fsync of the directory. */
export function writeFileAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const { dirname, basename } = path()
  return writeFilesAtomically(dirname(file), { [basename(file)]: content })
}

/**
 * Replaces several files of a directory, each as a whole or not at all, in their order. When one cannot be written, those
 * after it are left as they were, and no temporary file stays.
 */
export async function writeFilesAtomically(
  directory: string,
  contents: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(contents)) await replace(path().join(directory, name), content)
  await syncDirectory(directory)
}

/**
 * Replaces a file by what `fill` writes piece by piece, as a whole or not at all. What it throws is thrown, and nothing is changed.
 */
export async function fillFileAtomically(file: string, fill: (handle: FileHandle) => Promise<void>): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL } = process.getBuiltinModule('node:fs').constants
  const temporary = temporaryName(file)
  try {
    const handle = await openForSaving(temporary, O_WRONLY | O_CREAT | O_EXCL)
    try {
      await fill(handle)
      await syncFile(handle)
    } finally {
      await handle.close()
    }
    await fs().rename(temporary, file)
  } catch (error) {
    await fs().rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(path().dirname(file))
}

async function replace(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(file)
  try {
    await writeThrough(temporary, content)
    await fs().rename(temporary, file)
  } catch (error) {
    await fs().rm(temporary, { force: true })
    throw error
  }
}

async function writeThrough(file: string, content: string | Uint8Array): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC } = process.getBuiltinModule('node:fs').constants
  if (await write(file, O_WRONLY | O_CREAT | O_EXCL, content)) return
  await write(file, O_WRONLY | O_TRUNC, content) // this host cannot sync what was written, but can write through
}

async function write(file: string, flags: number, content: string | Uint8Array): Promise<boolean> {
  const handle = await openForSaving(file, flags)
  try {
    await handle.writeFile(content)
    return await syncFile(handle)
  } finally {
    await handle.close()
  }
}

/**
 * Saves and removes a small file, so that a directory in which nothing can be saved is known before there is something to lose.
 * Makes the directory.
 *
 * @throws what the file system says.
 */
export async function checkCanSave(directory: string): Promise<void> {
  await makeDirectory(directory)
  const [before, after] = [0, 1].map(() => path().join(directory, temporaryName(PROBE)))
  try {
    await writeThrough(before, 'This file shows that files can be saved here.\n')
    await fs().rename(before, after)
    await syncDirectory(directory)
  } finally {
    for (const file of [before, after]) await fs().rm(file, { force: true })
  }
}

function temporaryName(name: string): string {
  return `${name}.${process.pid}.${randomName()}.tmp`
}

/** Node's own, because Jest's jsdom has no crypto. */
function randomName(): string {
  return process.getBuiltinModule('node:crypto').randomUUID()
}

/**
 * Removes temporary files in a directory whose makers are gone; `isOurs` says by the final name which to look at.
 *
 * @returns the paths that were removed
 */
export async function removeStaleTemporaries(directory: string, isOurs: (name: string) => boolean): Promise<string[]> {
  const removed: string[] = []
  for (const entry of await fs().readdir(directory)) {
    const [, name, pid] = TEMPORARY.exec(entry) ?? []
    if (name === undefined || !(name === PROBE || isOurs(name))) continue
    const file = path().join(directory, entry)
    if (isAlive(Number(pid)) && !(await isOlderThan(file, SURELY_STALE_MILLISECONDS))) continue
    await fs().rm(file, { force: true })
    removed.push(file)
  }
  return removed
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // alive, and someone else's
  }
}

async function isOlderThan(file: string, milliseconds: number): Promise<boolean> {
  try {
    return Date.now() - (await fs().stat(file)).mtimeMs > milliseconds
  } catch {
    return false // gone meanwhile
  }
}
