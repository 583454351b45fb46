import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasRedis, RedisServer } from '@rowwise/redis-server'
import { afterEach, expect, it } from 'vitest'
import { program, rowwise } from '../../../apps/cli/test/rowwise'
import { writeStripes } from '../../../apps/cli/test/stripes'
import { isSoak, randomFor, report, TIMEOUT, temporaryDirectory } from './soak'

const KILLS = isSoak ? 100 : 6
const WORKERS = 3

/** Instants of kills are up to so many milliseconds apart. */
const APART = 1500

const home = temporaryDirectory()
const definition = {
  train: { data: 'data', validation: 0.2, dropout: 0.1, numLayers: 2 },
  space: { lr: { logUniform: [1e-3, 1e-1] }, hiddenSize: { choice: [16, 32] } },
  search: { type: 'halving', trials: 18, eta: 2, pending: 4 },
  epochs: 8,
  objective: { metric: 'loss', better: 'lower' },
}

const alive = new Set<ChildProcess>()
afterEach(() => {
  for (const child of alive) child.kill('SIGKILL')
})

/** What programs said that ended by themselves with a fault. */
const faults: string[] = []

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'], cwd: home })
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  alive.add(child)
  child.once('exit', (code) => {
    alive.delete(child)
    if (code) faults.push(said)
  })
  return child
}

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', resolve))

/** What must be the same, however often something dies. */
async function rowsOf(...where: string[]): Promise<object[]> {
  const { stdout } = await rowwise(['sweep', 'export', ...where], { cwd: home })
  const { complete, rows } = JSON.parse(stdout)
  expect(complete).toBe(true)
  return rows.map(({ seconds: _, worker: __, attempts: ___, ...row }: Record<string, unknown>) => row)
}

it.skipIf(!hasRedis)(
  `sweeps whose workers, controllers and Redis are killed at random instants, ${KILLS} times, find what an undisturbed one finds`,
  {
    timeout: TIMEOUT,
  },
  async () => {
    const random = randomFor(22)
    writeStripes(join(home, 'data'), { classes: 2 })
    const redis = await RedisServer.start(['--appendfsync', 'always'])
    const killed = { worker: 0, controller: 0, redis: 0 }
    const count = () => killed.worker + killed.controller + killed.redis
    const startWorker = () =>
      start('worker', '--redis', redis.url, '--workers', '1', '--root', home, '--lost-after', '1')
    try {
      let sweeps = 0
      for (; count() < KILLS; sweeps++) {
        const file = join(home, `sweep-${sweeps}.json`)
        writeFileSync(file, JSON.stringify({ ...definition, seed: sweeps }))
        await rowwise(['sweep', file], { cwd: home })
        const workers = Array.from({ length: WORKERS }, startWorker)
        // As Kubernetes does: what ends by itself, because Redis was not there when it started, is started again.
        const keeper = setInterval(() => {
          for (const [k, worker] of workers.entries()) if (worker.exitCode) workers[k] = startWorker()
        }, 500)
        let controller = start('sweep', file, '--redis', redis.url)
        let end = ended(controller)
        for (let isOver = false; !isOver; ) {
          const instant = count() < KILLS ? random.below(APART) : TIMEOUT
          const timer = new AbortController()
          const exit = await Promise.race([end, sleep(instant, 'kill' as const, { signal: timer.signal })])
          timer.abort()
          isOver = exit === 0
          if (exit !== 'kill' && exit !== 0 && exit !== null) expect(exit).toBe('the controller ends with 0')
          if (exit !== 'kill') continue
          const what = random.pick(['worker', 'worker', 'controller', 'redis'] as const)
          killed[what] += 1
          if (what === 'worker') {
            const index = random.below(WORKERS)
            workers[index].kill('SIGKILL')
            workers[index] = startWorker()
          } else if (what === 'controller') {
            controller.kill('SIGKILL')
            await end
            controller = start('sweep', file, '--redis', redis.url)
            end = ended(controller)
          } else {
            await redis.stop()
            await redis.restart()
          }
        }
        clearInterval(keeper)
        for (const worker of workers) worker.kill('SIGKILL')
        expect(faults.filter((said) => !/cannot be reached|cannot be used/.test(said))).toEqual([])
        expect(await rowsOf(`sweep-${sweeps}`, '--redis', redis.url)).toEqual(await rowsOf(`sweeps/sweep-${sweeps}`))
      }
      const words = Object.entries(killed).map(([what, times]) => `${what} ${times}`)
      report(
        `${count()} kills (${words.join(', ')}) in ${sweeps} sweeps of 18 trials; every row equal to an undisturbed sweep's`,
      )
    } finally {
      await redis.stop()
    }
  },
)
