// Without imports and without a variable called `require`: bundlers take both for theirs.
const nodeModule = (): typeof import('node:module') => process.getBuiltinModule('node:module')
const fs = (): typeof import('node:fs') => process.getBuiltinModule('node:fs')
const path = (): typeof import('node:path') => process.getBuiltinModule('node:path')

/** Finds packages as one file does. */
export type Finder = NodeJS.Require

/**
 * Files from which packages may be found: this one, the program, and one in the working directory. A bundler may leave this one no
 * address (esbuild's CommonJS) or that of its source (webpack, Bun), and a bundle may be anywhere.
 */
export function startingPoints(): string[] {
  const here = typeof __filename === 'string' ? __filename : undefined
  const points = [here, import.meta.url, process.argv[1], path().join(workingDirectory(), 'program.js')]
  return points.filter((point): point is string => typeof point === 'string' && /^(file:|\/|\w:[\\/])/.test(point))
}

/** A finder for each of {@link startingPoints}. */
export function finders(): Finder[] {
  return startingPoints().flatMap((point) => {
    try {
      return [nodeModule().createRequire(point)]
    } catch {
      return []
    }
  })
}

/** The directory of an installed package; null when none is found. */
export function packageDirectory(name: string): string | null {
  for (const finder of finders()) {
    const directory = packageDirectoryBy(finder, name)
    if (directory !== null) return directory
  }
  return null
}

/** The directory of the package that one finder finds; null when it finds none. */
export function packageDirectoryBy(finder: Finder, name: string): string | null {
  try {
    return path().dirname(fs().realpathSync(finder.resolve(`${name}/package.json`)))
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
