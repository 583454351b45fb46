import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { finders, packageDirectory, packageDirectoryBy, startingPoints } from '@rowwise/host'

const CORE = '@tensorflow/tfjs-core'

/** The first directory beside this code or the program that holds a file: where users of a bundle copy it to. */
export function directoryBesideProgram(file: string): string | null {
  const directories = startingPoints().map((point) => dirname(point.startsWith('file:') ? fileURLToPath(point) : point))
  return directories.find((directory) => existsSync(join(directory, file))) ?? null
}

/** Loads a CommonJS package by its directory. */
export function loadPackage(directory: string): unknown {
  return createRequire(join(directory, 'package.json'))(directory)
}

/** Two different copies of tfjs-core by their directories: ours, and another. */
export interface CorePair {
  ours: string
  theirs: string
}

/** The other copy of tfjs-core that a package would load; null when it is ours, undefined when it would find none. */
export function otherCore(directory: string): CorePair | null | undefined {
  const theirs = packageDirectoryBy(createRequire(join(directory, 'package.json')), CORE)
  if (theirs === null) return undefined
  const ours = packageDirectory(CORE)
  return ours === null || ours === theirs ? null : { ours, theirs }
}

/** Copies of tfjs-core that this process has loaded already, other than ours. In a bundle there is one, without a directory. */
export function loadedOtherCore(): CorePair | null {
  const ours = packageDirectory(CORE)
  if (ours === null) return null
  const isCore = /tfjs-core[\\/]dist[\\/]tf-core\.node\.js$/
  const loaded = Object.keys(finders()[0]?.cache ?? {}).filter((path) => isCore.test(path))
  const theirs = loaded.map((path) => realpathSync(dirname(dirname(path)))).find((directory) => directory !== ours)
  return theirs === undefined ? null : { ours, theirs }
}
