import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageDirectory, packageDirectoryFrom, startingPoints } from '@rowwise/host'

const CORE = '@tensorflow/tfjs-core'

/** The first directory beside this code or the program that holds a file: where users of a bundle copy it to. */
export function directoryBesideProgram(file: string): string | null {
  return (
    startingPoints()
      .map(dirname)
      .find((directory) => existsSync(join(directory, file))) ?? null
  )
}

/** Loads a CommonJS package by its directory. */
export function loadPackage(directory: string): unknown {
  return loaderAt(join(directory, 'package.json'))(directory)
}

/** Node's `require` at a file; not imported by its name, which the banners of ES bundles declare, and which webpack takes for its own. */
function loaderAt(file: string): NodeJS.Require {
  return process.getBuiltinModule('node:module').createRequire(file)
}

/** Two different copies of tfjs-core by their directories: ours, and another. */
export interface CorePair {
  ours: string
  theirs: string
}

/** The other copy of tfjs-core that a package would load; null when it is ours, undefined when it would find none. */
export function otherCore(directory: string): CorePair | null | undefined {
  const theirs = packageDirectoryFrom(join(directory, 'package.json'), CORE)
  if (theirs === null) return undefined
  const ours = packageDirectory(CORE)
  return ours === null || ours === theirs ? null : { ours, theirs }
}

/** Copies of tfjs-core that this process has loaded already, other than ours. In a bundle there is one, without a directory. */
export function loadedOtherCore(): CorePair | null {
  const ours = packageDirectory(CORE)
  if (ours === null) return null
  const isCore = /tfjs-core[\\/]dist[\\/]tf-core\.node\.js$/
  const loaded = Object.keys(loaderAt(join(ours, 'package.json')).cache ?? {}).filter((path) => isCore.test(path))
  const theirs = loaded.map((path) => realpathSync(dirname(dirname(path)))).find((directory) => directory !== ours)
  return theirs === undefined ? null : { ours, theirs }
}
