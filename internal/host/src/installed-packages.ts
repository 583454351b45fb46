// Without imports and without a variable called `require`: bundlers take both for theirs.
const nodeModule = (): typeof import('node:module') => process.getBuiltinModule('node:module')
const fs = (): typeof import('node:fs') => process.getBuiltinModule('node:fs')
const path = (): typeof import('node:path') => process.getBuiltinModule('node:path')
const url = (): typeof import('node:url') => process.getBuiltinModule('node:url')

/**
 * Files from which packages may be found: this one, the program, and one in the working directory. A bundler may leave this one no
 * address (esbuild's CommonJS) or that of its source (webpack, Bun), and a bundle may be anywhere.
 */
export function startingPoints(): string[] {
  const here = typeof __filename === 'string' ? __filename : import.meta.url
  const points = [here, process.argv[1], path().join(workingDirectory(), 'program.js')]
  return points.flatMap((point) => {
    if (typeof point !== 'string') return []
    if (point.startsWith('file:')) return [url().fileURLToPath(point)]
    return path().isAbsolute(point) ? [point] : []
  })
}

/** The directory of an installed package; null when none is found. */
export function packageDirectory(name: string): string | null {
  for (const point of startingPoints()) {
    const directory = packageDirectoryFrom(point, name)
    if (directory !== null) return directory
  }
  return null
}

/** The directory of the package that a file would load; null when it would find none. */
export function packageDirectoryFrom(file: string, name: string): string | null {
  return inNodeModules(path().dirname(file), name) ?? (process.versions.bun === undefined ? resolved(file, name) : null)
}

function inNodeModules(directory: string, name: string): string | null {
  const manifest = path().join(directory, 'node_modules', name, 'package.json')
  const above = path().dirname(directory)
  try {
    if (fs().existsSync(manifest)) return path().dirname(fs().realpathSync(manifest))
  } catch {
    return null // a permission model that forbids to look
  }
  return above === directory ? null : inNodeModules(above, name)
}

/** For Yarn's Plug'n'Play. Not in Bun, whose resolution downloads what it does not find. */
function resolved(file: string, name: string): string | null {
  try {
    return path().dirname(fs().realpathSync(nodeModule().createRequire(file).resolve(`${name}/package.json`)))
  } catch {
    return null
  }
}

function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '/' // it was deleted
  }
}
