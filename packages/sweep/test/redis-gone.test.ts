import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasRedis } from '@rowwise/redis-server'
import { runSweep } from '@rowwise/sweep'
import { describe, expect, it } from 'vitest'
import { atEnd, engine, fixture, random, server, worker } from './redis-sweeps'

/** A program of `stopped.mjs`, and what it has printed. */
function stoppable(url: string, what: string): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [fixture('stopped.mjs').pathname, url, what], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  atEnd(() => child.kill('SIGKILL'))
  return { child, said: () => text }
}

/** Stops a program, and says with which code it ended, and after how many seconds. */
async function stopped(child: ChildProcess): Promise<{ code: unknown; seconds: number }> {
  const began = performance.now()
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = await exit
  return { code, seconds: (performance.now() - began) / 1000 }
}

/** After this a command was asked of the Redis that is gone: outcomes are looked for every 2 s. */
const AFTER_A_LOOK = 2500

describe.skipIf(!hasRedis)('when Redis has been gone for a while', () => {
  it.each(['sweep', 'jobs'])('a program that waits for outcomes ends when it is told to: %s', async (what) => {
    const redis = await server()
    const { child, said } = stoppable(redis.url, what)
    await expect.poll(said, { timeout: 10_000 }).toContain('started')
    await sleep(1000)
    await redis.stop()
    await sleep(AFTER_A_LOOK)
    const { code, seconds } = await stopped(child)
    expect([code, said()]).toEqual([0, 'started\nfalse\n'])
    expect(seconds).toBeLessThan(3)
  })

  it.each(['stop', 'freeze'] as const)(
    'a worker that has a job ends as a program: %s',
    { timeout: 60_000 },
    async (how) => {
      const redis = await server()
      const { child, said } = stoppable(redis.url, 'worker')
      const stop = new AbortController()
      const result = runSweep(random, { engine: engine(redis.url), signal: stop.signal })
      await expect.poll(said, { timeout: 10_000 }).toContain('in a trial')
      if (how === 'stop') await redis.stop()
      else redis.freeze(true)
      await sleep(1000)
      const { code, seconds } = await stopped(child)
      expect([code, said().trim().split('\n').at(-1)]).toEqual([0, 'ended'])
      expect(seconds).toBeLessThan(how === 'stop' ? 10 : 25)
      stop.abort()
      expect((await result).complete).toBe(false)
    },
  )

  it('a worker that is told to stop ends although Redis comes back meanwhile', async () => {
    const redis = await server()
    const stop = new AbortController()
    const running = worker(redis.url, { signal: stop.signal })
    await sleep(500)
    await redis.stop()
    await sleep(1000)
    stop.abort()
    await redis.restart()
    await running
  })
})
