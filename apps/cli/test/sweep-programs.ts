import { type ChildProcess, spawn } from 'node:child_process'
import { RedisServer } from '@rowwise/redis-server'
import { afterEach } from 'vitest'
import { program } from './rowwise'

/** What a test has started, which ends with it. */
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A trial as `rowwise sweep --json` prints it. */
export interface TrialLine {
  trial: number
  epochs: number
  config: object
  metrics: Record<string, number>
  weights: string
  reason: string | null
}

/** The rows of a sweep without what a clock or a machine makes, by trial and epochs. */
export function rowsOf(stdout: string): object[] {
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'trial')
    .map(({ trial, epochs, config, metrics, weights, reason }: TrialLine) => ({
      trial,
      epochs,
      config,
      metrics,
      weights,
      reason,
    }))
    .sort((one, other) => one.trial - other.trial || one.epochs - other.epochs)
}

/** A worker as a program, until the test ends. */
export function worker(url: string, root: string): ChildProcess {
  const args = ['worker', '--redis', url, '--workers', '1', '--root', root, '--lost-after', '1']
  const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  ends.push(() => {
    child.kill('SIGTERM')
    return ended
  })
  return child
}

/** A Redis server, until the test ends. */
export async function redis(): Promise<RedisServer> {
  const server = await RedisServer.start()
  ends.push(() => server.stop())
  return server
}
