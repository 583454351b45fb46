import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

const { promises } = fs

/** Makes the locks that this process left in a directory those of a process that is gone. */
export function orphanLocks(directory: string): void {
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : []
  for (const name of names.filter((name) => name.startsWith('lock-'))) {
    const file = `${directory}/${name}`
    const owner = { ...JSON.parse(fs.readFileSync(file, 'utf8')), pid: 2 ** 22 + 1 } // over the largest id that Linux gives
    fs.writeFileSync(file, JSON.stringify(owner))
  }
}

/**
 * Runs `work` until it asks for its file operation number `operation`: that one is not done (a write is half done), and nothing
 * after it happens, as when the process dies there. Whether it came to that.
 */
export async function dieAtFileOperation(operation: number, work: () => Promise<unknown>): Promise<boolean> {
  let left = operation
  let die = (): void => {}
  const death = new Promise<true>((resolve) => {
    die = () => resolve(true)
  })
  const never = (): Promise<never> => {
    die()
    return new Promise(() => {})
  }
  const original = { ...promises }
  const guard = <A extends unknown[], R>(real: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => (left-- === 0 ? never() : left < 0 ? new Promise(() => {}) : real(...args))
  }
  const handles: FileHandle[] = []
  const guardHandle = (handle: FileHandle): FileHandle => {
    handles.push(handle)
    const writeFile = handle.writeFile.bind(handle)
    handle.writeFile = async (data, ...rest) => {
      if (left-- !== 0) return writeFile(data, ...rest)
      await writeFile((data as Uint8Array | string).slice(0, Math.floor((data as string).length / 2)))
      return never()
    }
    handle.sync = guard(handle.sync.bind(handle))
    return handle
  }
  promises.open = guard(async (...args: Parameters<typeof original.open>) => guardHandle(await original.open(...args)))
  promises.rename = guard(original.rename)
  promises.mkdir = guard(original.mkdir) as typeof original.mkdir
  promises.rm = guard(original.rm)
  promises.readdir = guard(original.readdir as never) as never
  try {
    return await Promise.race([death, work().then(() => false)])
  } finally {
    Object.assign(promises, original)
    for (const handle of handles) await handle.close().catch(() => {}) // as the system does for the dead
  }
}
