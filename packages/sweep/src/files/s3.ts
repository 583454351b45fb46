import { FilesTooLargeError, SweepStoreError } from '../errors'
import { type FileStore, MAX_FILES, readFrom, requireNames, writeInto } from './store'

/** Where {@link s3Files} keeps files. */
export interface S3Options {
  /** The bucket's address, such as `https://s3.eu-central-1.amazonaws.com/bucket`. */
  endpoint: string
  /** Who asks. */
  accessKeyId: string
  /** And its secret. */
  secretAccessKey: string
  /** @default 'auto' */
  region?: string
}

/** Lists a job's files; written last, so that what it lists is there. */
const INDEX = 'index.json'

/**
 * Keeps checkpoints and weights in S3, or what speaks its protocol; by the package `s3mini`.
 *
 * @throws {@link SweepStoreError} when the storage refuses.
 * @example
 * ```ts
 * const files = await s3Files({ endpoint: 'https://storage.example/bucket', accessKeyId, secretAccessKey })
 * await runWorker({ connection, jobs, files })
 * ```
 */
export async function s3Files({ region = 'auto', ...options }: S3Options): Promise<FileStore> {
  const { S3mini } = await import('s3mini')
  const client = new S3mini({ region, ...options })
  const attempt = async <T>(what: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request()
    } catch (cause) {
      const { message } = cause as Error
      throw new SweepStoreError(`${options.endpoint}: ${what} failed: ${message}`, { cause })
    }
  }
  const place = (set: string, key: string): string => `${set}/${key}`
  const indexOf = async (set: string, key: string): Promise<readonly string[] | null> => {
    const where = `${place(set, key)}/${INDEX}`
    const text = await attempt(`reading ${where}`, () => client.getObject(where))
    if (text === null) return null
    const names: unknown = JSON.parse(text)
    if (!Array.isArray(names)) throw new SweepStoreError(`${options.endpoint}: ${where} is not a list; it was altered`)
    requireNames(names, where)
    return names
  }
  return {
    async save(set, key, directory) {
      const files = await readFrom(directory)
      const names = Object.keys(files)
      if (names.length > MAX_FILES) {
        throw new FilesTooLargeError(`job ${key} of ${set} leaves ${names.length} files, at most ${MAX_FILES} are kept`)
      }
      for (const name of names) {
        const where = `${place(set, key)}/${name}`
        await attempt(`writing ${where}`, () => client.putObject(where, files[name]))
      }
      const where = `${place(set, key)}/${INDEX}`
      await attempt(`writing ${where}`, () => client.putObject(where, JSON.stringify(names), 'application/json'))
    },
    async restore(set, key, directory) {
      const names = await indexOf(set, key)
      if (names === null) return false
      const files: Record<string, Uint8Array> = {}
      for (const name of names) {
        const where = `${place(set, key)}/${name}`
        const content = await attempt(`reading ${where}`, () => client.getObjectArrayBuffer(where))
        if (content === null) throw new SweepStoreError(`${options.endpoint}: ${where} is missing, though it is listed`)
        files[name] = new Uint8Array(content)
      }
      await writeInto(directory, files, place(set, key))
      return true
    },
    async discard(set, key) {
      const names = (await indexOf(set, key)) ?? []
      for (const name of [INDEX, ...names]) {
        const where = `${place(set, key)}/${name}`
        await attempt(`removing ${where}`, () => client.deleteObject(where))
      }
    },
  }
}
