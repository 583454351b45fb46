import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisServer } from '@rowwise/redis-server'
import { localEngine, runSweep, type Sweep, uniform } from '@rowwise/sweep'
import { redisEngine, runWorker } from '@rowwise/sweep/redis'
import { afterEach } from 'vitest'

export const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url)
export const jobs = fixture('quadratic.mjs')

export const random: Sweep = {
  name: 'random',
  space: { x: uniform(0, 1), y: uniform(0, 1) },
  search: { type: 'random', trials: 12 },
  objective: { metric: 'loss', better: 'lower' },
}
export const halving: Sweep = {
  ...random,
  name: 'halving',
  search: { type: 'halving', trials: 18, pending: 4 },
  epochs: 9,
}

/** What must be the same wherever a sweep runs. */
export const shown = ({ rows }: Awaited<ReturnType<typeof runSweep>>) =>
  rows.map(({ trial, epochs, config, metrics, history, reason }) => ({
    trial,
    epochs,
    config,
    metrics,
    history,
    reason,
  }))

/** What a test has started, which ends with it. */
const ends: (() => unknown)[] = []

/** Something to be done when the test ends. */
export const atEnd = (end: () => unknown): void => void ends.push(end)

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

export async function server(settings: string[] = [], credentials = ''): Promise<RedisServer> {
  const started = await RedisServer.start(settings, credentials)
  ends.push(() => started.stop())
  return started
}

/** A worker in this process, until the test ends. */
export function worker(connection: string, options: Partial<Parameters<typeof runWorker>[0]> = {}) {
  const stop = new AbortController()
  const running = runWorker({ connection, jobs, signal: stop.signal, ...options })
  ends.push(async () => {
    stop.abort()
    await running.catch(() => {})
  })
  return running
}

/** A worker as a program, which can be killed. */
export function program(url: string, module = './slow.mjs', env: Record<string, string> = {}): ChildProcess {
  const args = [fixture('worker.mjs').pathname, url, module, '1']
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  ends.push(() => child.kill('SIGKILL'))
  return child
}

export const engine = (connection: string) => redisEngine({ connection })

export const undisturbed = async (sweep: Sweep) =>
  shown(await runSweep(sweep, { engine: localEngine({ jobs, directory: mkdtempSync(join(tmpdir(), 'rowwise-')) }) }))
