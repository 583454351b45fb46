import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const CORE = '@tensorflow/tfjs-core'

/** The directory of an installed package, seen from this one; null when there is none. */
export function packageDirectory(name: string): string | null {
  try {
    return dirname(realpathSync(require.resolve(`${name}/package.json`)))
  } catch {
    return null
  }
}

/** Two different copies of tfjs-core by their directories: ours, and another. */
export interface CorePair {
  ours: string
  theirs: string
}

/** The other copy of tfjs-core that a package would load; null when it is ours, undefined when it would find none. */
export function otherCore(directory: string): CorePair | null | undefined {
  const ours = coreDirectory(require)
  let theirs: string
  try {
    theirs = coreDirectory(createRequire(join(directory, 'package.json')))
  } catch {
    return undefined
  }
  return ours === theirs ? null : { ours, theirs }
}

/** Copies of tfjs-core that this process has loaded already, other than ours. */
export function loadedOtherCore(): CorePair | null {
  const ours = coreDirectory(require)
  const isCore = /tfjs-core[\\/]dist[\\/]tf-core\.node\.js$/
  const loaded = Object.keys(require.cache).filter((path) => isCore.test(path))
  const theirs = loaded.map((path) => realpathSync(dirname(dirname(path)))).find((directory) => directory !== ours)
  return theirs === undefined ? null : { ours, theirs }
}

function coreDirectory(from: NodeJS.Require): string {
  return dirname(realpathSync(from.resolve(`${CORE}/package.json`)))
}
