import { Queue } from 'bullmq'
import { decodeOutcome, type Outcome } from '../engine'
import { SweepNotFoundError } from '../errors'
import type { FileStore } from '../files/store'
import { addressOf, connect, type RedisConnection } from './connection'
import { storeOf } from './files'
import { keysOf, QUEUE, SETS } from './names'

/** What Redis holds of a set of jobs. */
export interface StoredSet {
  definition: unknown
  outcomes: Outcome[]
  /** Jobs of all sets in the queue. */
  queue: { waiting: number; active: number }
}

/**
 * Reads a set of jobs, which may be under way.
 *
 * @throws {@link SweepNotFoundError} when there is none of this name: the message lists those that are there.
 */
export async function readRedisSet(connection: RedisConnection, name: string): Promise<StoredSet> {
  const { client, disconnect } = await connect(connection)
  const queue = new Queue(QUEUE, { connection: client as never })
  queue.on('error', () => {})
  try {
    const keys = keysOf(name)
    const definition = await client.get(keys.definition)
    if (definition === null) {
      const names = (await client.smembers(SETS)).sort()
      throw new SweepNotFoundError(
        `${addressOf(connection)} has no sweep '${name}'; it has ${names.length === 0 ? 'none' : names.join(', ')}`,
      )
    }
    const outcomes: Outcome[] = []
    const seen = new Set<string>()
    for await (const page of client.hscanStream(keys.outcomes, { count: 1000 })) {
      for (let k = 0; k < page.length; k += 2) {
        if (seen.has(page[k])) continue // a scan may show an entry twice
        seen.add(page[k])
        outcomes.push(decodeOutcome(page[k + 1], `${keys.outcomes} ${page[k]}`))
      }
    }
    const { waiting = 0, active = 0 } = await queue.getJobCounts('waiting', 'active')
    return { definition: JSON.parse(definition), outcomes, queue: { waiting, active } }
  } finally {
    await queue.close()
    disconnect()
  }
}

/** Fills a directory with what a job left; whether it left something. */
export async function fetchRedisFiles(
  { connection, files }: { connection: RedisConnection; files?: string | FileStore },
  { name, key, directory }: { name: string; key: string; directory: string },
): Promise<boolean> {
  const { client, disconnect } = await connect(connection)
  try {
    return await storeOf(files, client).restore(name, key, directory)
  } finally {
    disconnect()
  }
}
