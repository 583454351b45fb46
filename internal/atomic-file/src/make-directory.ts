/**
 * Makes a directory and those above it. Node's own recursive mkdir never ends, and holds signals back, where a file system answers
 * "does not exist" for what can never exist, as /proc does.
 *
 * @returns the directories that were made, the outermost first
 * @throws what the file system says; ENOTDIR when a file is in the way.
 */
export async function makeDirectory(directory: string): Promise<string[]> {
  const { promises } = process.getBuiltinModule('node:fs')
  const { resolve, dirname } = process.getBuiltinModule('node:path')
  const missing: string[] = []
  for (let at = resolve(directory); !(await isDirectory(at)); at = dirname(at)) missing.push(at)
  const made: string[] = []
  for (const path of missing.reverse()) {
    try {
      await promises.mkdir(path)
      made.push(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another program was faster
    }
  }
  return made
}

async function isDirectory(path: string): Promise<boolean> {
  const { promises } = process.getBuiltinModule('node:fs')
  try {
    if ((await promises.stat(path)).isDirectory()) return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  throw Object.assign(new Error(`ENOTDIR: a file is in the way, ${path}`), { code: 'ENOTDIR', path })
}
