import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** Debian's redis-server, where it is installed. */
export const PROGRAM = process.env.ROWWISE_REDIS_SERVER ?? '/usr/bin/redis-server'

/** Whether Redis can be started here; CI installs it. */
export const hasRedis = existsSync(PROGRAM)

/** A real Redis server on a free port of loopback, with an append-only file. */
export class RedisServer {
  private child: ChildProcess | null = null

  private constructor(
    readonly port: number,
    readonly directory: string,
    private readonly settings: readonly string[],
    private readonly credentials: string,
  ) {}

  static async start(settings: readonly string[] = [], credentials = ''): Promise<RedisServer> {
    const directory = mkdtempSync(join(tmpdir(), 'rowwise-redis-'))
    const server = new RedisServer(await freePort(), directory, settings, credentials)
    await server.restart()
    return server
  }

  get url(): string {
    return `redis://${this.credentials}127.0.0.1:${this.port}`
  }

  async restart(): Promise<void> {
    const fixed = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.directory, '--save', '']
    this.child = spawn(PROGRAM, [...fixed, '--appendonly', 'yes', ...this.settings], { stdio: 'ignore' })
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
    client.on('error', () => {})
    while ((await client.ping().catch(() => '')) !== 'PONG') await new Promise((resolve) => setTimeout(resolve, 50))
    client.disconnect()
  }

  /** Ends it; with SIGKILL as a power cut would, but for the disk's own cache. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  /** Freezes it, as a network that swallows everything does. */
  freeze(isFrozen: boolean): void {
    this.child?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT')
  }
}

/** A certificate for 127.0.0.1 that signs itself. */
export function certificate(): { cert: string; key: string } {
  const directory = mkdtempSync(join(tmpdir(), 'rowwise-tls-'))
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  )
  return { cert, key }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
