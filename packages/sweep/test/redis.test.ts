import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasRedis } from '@rowwise/redis-server'
import { replaySweep, runSweep, type Trial } from '@rowwise/sweep'
import { readRedisSet, redisEngine } from '@rowwise/sweep/redis'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { engine, fixture, halving, program, random, server, shown, undisturbed, worker } from './redis-sweeps'

describe.skipIf(!hasRedis)('a sweep on Redis', () => {
  it.each([random, halving])('gives the table of one process: $name', async (sweep) => {
    const { url } = await server()
    worker(url, { workers: 2 })
    worker(url)
    const table = await runSweep(sweep, { engine: engine(url) })
    expect(shown(table)).toEqual(await undisturbed(sweep))
  })

  it('gives the same table when a worker is killed', async () => {
    const { url } = await server()
    const [first] = [program(url), program(url), program(url)]
    const table = await runSweep(halving, {
      engine: engine(url),
      onRow: (_, { done }) => void (done === 5 && first.kill('SIGKILL')),
    })
    expect(shown(table)).toEqual(await undisturbed(halving))
  })

  it('gives the same table when Redis is killed and comes back with its append-only file', async () => {
    const redis = await server(['--appendfsync', 'always'])
    program(redis.url)
    const table = await runSweep(random, {
      engine: engine(redis.url),
      onRow: (_, { done }) => {
        if (done === 4) void redis.stop().then(() => redis.restart())
      },
    })
    expect(shown(table)).toEqual(await undisturbed(random))
  })

  it('writes outcomes again that Redis has lost', async () => {
    const redis = await server()
    worker(redis.url)
    let isEmptied = false
    const table = await runSweep(random, {
      engine: engine(redis.url),
      async onRow() {
        if (isEmptied) return
        isEmptied = true
        const client = new Redis(redis.url)
        await client.del('rowwise:set:random:outcomes')
        client.disconnect()
      },
    })
    expect(shown(table)).toEqual(await undisturbed(random))
  })

  it('gives the same table when Redis is silent for longer than a worker may be', async () => {
    const redis = await server()
    worker(redis.url, { jobs: fixture('slow.mjs'), lostAfterSeconds: 1 })
    const table = await runSweep(random, {
      engine: engine(redis.url),
      onRow: (_, { done }) => {
        if (done !== 3) return
        redis.freeze(true)
        setTimeout(() => redis.freeze(false), 2500)
      },
    })
    expect(shown(table)).toEqual(await undisturbed(random))
  })

  it('counts nothing twice with two controllers at once', async () => {
    const { url } = await server()
    worker(url, { workers: 2 })
    const [one, other] = await Promise.all([0, 1].map(() => runSweep(halving, { engine: engine(url) })))
    expect(shown(one)).toEqual(await undisturbed(halving))
    expect(shown(other)).toEqual(shown(one))
  })

  it('is gone on with by a second program, and can be read meanwhile', async () => {
    const { url } = await server()
    const stop = new AbortController()
    worker(url)
    await runSweep(random, {
      engine: engine(url),
      signal: stop.signal,
      onRow: (_, { done }) => done === 5 && stop.abort(),
    })
    const { definition, outcomes } = await readRedisSet(url, 'random')
    expect(replaySweep(definition, outcomes).done).toBeGreaterThanOrEqual(5)
    expect(shown(await runSweep(random, { engine: engine(url) }))).toEqual(await undisturbed(random))
  })

  it('is refused with other settings', async () => {
    const { url } = await server()
    worker(url)
    await runSweep(random, { engine: engine(url) })
    const changed = { ...random, seed: 5 }
    await expect(runSweep(changed, { engine: engine(url) })).rejects.toMatchObject({
      code: 'SWEEP_MISMATCH',
      message: expect.stringContaining('seed was 0, is now 5'),
    })
  })

  it('makes a row of a trial that fails three times, wherever it is tried', async () => {
    const { url } = await server()
    const failing = {
      trial({ number }: Trial) {
        if (number === 2) throw new Error('the loss became NaN')
        return { metrics: { loss: number } }
      },
    }
    worker(url, { jobs: failing })
    worker(url, { jobs: failing })
    const { rows } = await runSweep(random, { engine: engine(url) })
    expect(rows.at(-1)).toMatchObject({ trial: 2, status: 'failed', reason: 'the loss became NaN', attempts: 3 })
  })

  it('does not mind clocks that differ by an hour, nor who tries a trial again', async () => {
    const { url } = await server()
    const tries = { SWEEP_TRIES: mkdtempSync(join(tmpdir(), 'rowwise-tries-')) }
    program(url, './flaky.mjs', tries)
    program(url, './flaky.mjs', { ...tries, NODE_OPTIONS: `--import ${fixture('an-hour-ahead.mjs').href}` })
    const { rows } = await runSweep(random, { engine: engine(url) })
    expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual(Array(12).fill(['done', 3]))
  })

  it('hands checkpoints on by a directory that all share', async () => {
    const { url } = await server()
    const files = mkdtempSync(join(tmpdir(), 'rowwise-files-'))
    worker(url, { files })
    worker(url, { files })
    const table = await runSweep(halving, { engine: redisEngine({ connection: url, files }) })
    expect(shown(table)).toEqual(await undisturbed(halving))
    expect(readdirSync(join(files, 'halving')).length).toBeGreaterThan(0)
  })
})
