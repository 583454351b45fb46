import { Redis, type RedisOptions } from 'ioredis'
import { isRecord } from '../engine'
import { RedisError } from '../errors'
import { show } from '../space'

/** Where Redis is: an address such as `redis://:password@host:6379` or `rediss://…` for TLS, or all options of ioredis. */
export type RedisConnection = string | RedisOptions

/** A client that also closes those that BullMQ has made after it: they would try to connect for ever. */
export interface Connected {
  client: Redis
  disconnect(): void
}

const FIRST_MILLISECONDS = 5000
const LONGEST_DELAY_MILLISECONDS = 2000

/**
 * Connects. Later losses of the connection are waited out: commands are sent again when it is back.
 *
 * @throws {@link RedisError} when Redis cannot be reached at first, or wants another password; the address is shown without it.
 */
export async function connect(connection: RedisConnection): Promise<Connected> {
  const options: RedisOptions = {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(100 * times, LONGEST_DELAY_MILLISECONDS),
    lazyConnect: true,
  }
  const client = endingSurely(make(connection, options))
  let last: Error | null = null
  client.on('error', (error: Error) => {
    last = error
  })
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(last ?? new Error('it does not answer')), FIRST_MILLISECONDS)
  })
  const first = new Promise<never>((_, reject) => client.once('error', reject))
  try {
    await Promise.race([client.connect().then(() => client.ping()), first, tooLate])
    return withDuplicates(client)
  } catch (cause) {
    client.disconnect()
    throw new RedisError(`${addressOf(connection)}: ${reasonOf(cause as Error)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

function withDuplicates(client: Redis): Connected {
  const made = [client]
  const duplicate = client.duplicate.bind(client)
  client.duplicate = (override) => {
    const copy = endingSurely(duplicate(override))
    copy.on('error', () => {}) // it connects again
    made.push(copy)
    return copy
  }
  return {
    client,
    disconnect() {
      for (const one of made) one.disconnect()
    },
  }
}

/**
 * A client that is told to disconnect while it waits to connect again neither says that it has ended nor fails the commands that wait.
 * One that is told so while it connects does both.
 */
function endingSurely(client: Redis): Redis {
  const disconnect = client.disconnect.bind(client)
  client.disconnect = (reconnect = false) => {
    if (!reconnect && client.status === 'reconnecting') client.connect().catch(() => {})
    disconnect(reconnect)
  }
  return client
}

function make(connection: RedisConnection, options: RedisOptions): Redis {
  if (isRecord(connection)) return new Redis({ ...connection, ...options })
  if (typeof connection === 'string' && /^(rediss?|unix):\/\//.test(connection)) return new Redis(connection, options)
  throw new RedisError(
    `${typeof connection === 'string' ? hidden(connection) : show(connection)} is not an address of Redis, expected redis://host:6379, or rediss://host:6379 for TLS`,
  )
}

/** An address without its password. */
export function addressOf(connection: RedisConnection): string {
  if (typeof connection === 'string') return hidden(connection)
  const { host = '127.0.0.1', port = 6379, tls } = connection
  return `${tls ? 'rediss' : 'redis'}://${host}:${port}`
}

function hidden(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//')
}

function reasonOf(error: Error & { code?: string }): string {
  const { message, code } = error
  if (/NOAUTH|WRONGPASS|invalid password/i.test(message)) {
    return `wants another password (${message}); pass redis://:PASSWORD@host:6379`
  }
  if (code === 'ECONNREFUSED')
    return 'cannot be reached (ECONNREFUSED); start redis-server there, or pass another address'
  if (code?.startsWith('ERR_TLS') || /certificate|self.signed|SSL|wrong version/i.test(message)) {
    return `TLS does not hold: ${message}; pass the authority that signed its certificate`
  }
  return `cannot be used: ${message || code}; see that redis-server runs there, and that this machine may reach it`
}
