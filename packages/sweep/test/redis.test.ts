import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { certificate, freePort, hasRedis, RedisServer } from '@rowwise/redis-server'
import { localEngine, replaySweep, runSweep, type Sweep, type Trial, uniform } from '@rowwise/sweep'
import { readRedisSet, redisEngine, runWorker } from '@rowwise/sweep/redis'
import { Queue } from 'bullmq'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'

const fixture = (name: string) => new URL(`./fixtures/${name}`, import.meta.url)
const jobs = fixture('quadratic.mjs')

const random: Sweep = {
  name: 'random',
  space: { x: uniform(0, 1), y: uniform(0, 1) },
  search: { type: 'random', trials: 12 },
  objective: { metric: 'loss', better: 'lower' },
}
const halving: Sweep = { ...random, name: 'halving', search: { type: 'halving', trials: 18, pending: 4 }, epochs: 9 }

/** What must be the same wherever a sweep runs. */
const shown = ({ rows }: Awaited<ReturnType<typeof runSweep>>) =>
  rows.map(({ trial, epochs, config, metrics, history, reason }) => ({
    trial,
    epochs,
    config,
    metrics,
    history,
    reason,
  }))

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function server(settings: string[] = [], credentials = ''): Promise<RedisServer> {
  const started = await RedisServer.start(settings, credentials)
  ends.push(() => started.stop())
  return started
}

/** A worker in this process, until the test ends. */
function worker(connection: string, options: Partial<Parameters<typeof runWorker>[0]> = {}) {
  const stop = new AbortController()
  const running = runWorker({ connection, jobs, signal: stop.signal, ...options })
  ends.push(async () => {
    stop.abort()
    await running.catch(() => {})
  })
  return running
}

/** A worker as a program, which can be killed. */
function program(url: string, module = './slow.mjs', env: Record<string, string> = {}): ChildProcess {
  const args = [fixture('worker.mjs').pathname, url, module, '1']
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  ends.push(() => child.kill('SIGKILL'))
  return child
}

const engine = (connection: string) => redisEngine({ connection })

const undisturbed = async (sweep: Sweep) =>
  shown(await runSweep(sweep, { engine: localEngine({ jobs, directory: mkdtempSync(join(tmpdir(), 'rowwise-')) }) }))

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

describe.skipIf(!hasRedis)('a worker', () => {
  it('gives its job back when it is told to stop', async () => {
    const { url } = await server()
    const child = program(url)
    const result = runSweep(random, {
      engine: engine(url),
      onRow: (_, { done }) => {
        if (done === 3) child.kill('SIGTERM')
        if (done === 3) worker(url)
      },
    })
    expect((await result).rows.every(({ attempts }) => attempts <= 2)).toBe(true)
  })

  it('whose disk is full ends, and another does its jobs', async () => {
    const { url } = await server()
    const full = { trial: () => Promise.reject(Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })) }
    const refused = expect(runWorker({ connection: url, jobs: full })).rejects.toMatchObject({
      code: 'SWEEP_STORE',
      message: expect.stringContaining('cannot be done on this machine: the disk is full'),
    })
    const result = runSweep(random, { engine: engine(url) })
    await refused
    worker(url)
    expect(shown(await result)).toEqual(await undisturbed(random))
  })

  it('ends when it is told to although Redis is gone, and leaves no process', async () => {
    const redis = await server()
    const child = program(redis.url)
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
    const stop = new AbortController()
    await runSweep(random, {
      engine: engine(redis.url),
      signal: stop.signal,
      onRow: () => {
        void redis.stop().then(() => child.kill('SIGTERM'))
        stop.abort()
      },
    })
    expect(await ended).toBe(0)
  })

  it('ends after so long without a job', async () => {
    const { url } = await server()
    const began = performance.now()
    await worker(url, { idleSeconds: 0.5 })
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('refuses jobs that are not ours, and does the others', async () => {
    const { url } = await server()
    const queue = new Queue('rowwise', { connection: { host: '127.0.0.1', port: Number(new URL(url).port) } })
    ends.push(() => queue.close())
    const trial = { number: 0, config: {}, seed: 0, epochs: 1, from: 0, fixed: {} }
    const good = { set: 'a', data: trial }
    const hostile: [string, string, object][] = [
      ['set is "../../etc"', 'trial', { ...good, set: '../../etc', key: '0' }],
      ['key is "../1"', 'trial', { ...good, key: '../1' }],
      ['goes on from "/etc/passwd"', 'trial', { ...good, key: '2', after: '/etc/passwd' }],
      ['is not a trial', 'trial', { ...good, key: '3', data: { ...trial, epochs: 1e99 } }],
      ['is not a trial', 'trial', { ...good, key: '4', data: { ...trial, module: '/tmp/evil.mjs' } }],
      ['an object’s prototype', 'trial', { ...good, key: '5', data: JSON.parse('{"config":{"__proto__":{"x":1}}}') }],
      ['kind is "eval"', 'eval', { ...good, key: '6' }],
      ['"code", which is unknown', 'trial', { ...good, key: '7', code: 'process.exit()' }],
      [
        'more than 1048576 bytes',
        'trial',
        { ...good, key: '8', data: { ...trial, fixed: { long: 'x'.repeat(1 << 20) } } },
      ],
    ]
    const notes: string[] = []
    worker(url, { onNote: (note) => notes.push(note) })
    for (const [, name, data] of hostile) {
      const { set, key } = data as { set: string; key: string }
      await queue.add(name, data, { jobId: `${set}/${key}` })
    }
    await queue.add('trial', { ...good, key: '9' }, { jobId: 'b/9' })
    await expect.poll(() => notes.length, { timeout: 10_000 }).toBe(hostile.length + 1)
    const said = notes.join('\n').replaceAll("object's", 'object’s')
    for (const [words] of hostile) expect(said).toContain(words)
    expect(said).toContain('its id is not that of its set and key')
    expect(shown(await runSweep(random, { engine: engine(url) }))).toEqual(await undisturbed(random))
  })

  it('survives whatever is in the queue', async () => {
    const { url } = await server()
    const queue = new Queue('rowwise', { connection: { host: '127.0.0.1', port: Number(new URL(url).port) } })
    ends.push(() => queue.close())
    const notes: string[] = []
    worker(url, { workers: 1, onNote: (note) => notes.push(note) })
    const data = fc.oneof(fc.jsonValue(), fc.record({ set: fc.string(), key: fc.string(), data: fc.object() }))
    const samples = fc.sample(fc.tuple(fc.string({ minLength: 1 }), data), 300)
    await queue.addBulk(samples.map(([name, value], k) => ({ name, data: value, opts: { jobId: `fuzz-${k}` } })))
    await expect.poll(() => notes.length, { timeout: 20_000 }).toBe(300)
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
    expect(shown(await runSweep(random, { engine: engine(url) }))).toEqual(await undisturbed(random))
  })

  it('writes no file outside of a job’s directory', async () => {
    const { url } = await server()
    const client = new Redis(url)
    ends.push(() => client.disconnect())
    await client.hset('rowwise:set:random:shared', '../../escaped', 'x')
    worker(url)
    const { rows } = await runSweep(random, { engine: engine(url) })
    expect(rows[0].reason).toContain('which is no name of a file here')
  })
})

describe.skipIf(!hasRedis)('Redis', () => {
  it('is asked for its password', async () => {
    const redis = await server(['--requirepass', 'secret'], ':secret@')
    worker(redis.url)
    expect((await runSweep(random, { engine: engine(redis.url) })).complete).toBe(true)
    const wrong = redis.url.replace('secret', 'wrong')
    await expect(runSweep(random, { engine: engine(wrong) })).rejects.toMatchObject({
      code: 'REDIS',
      message: expect.stringContaining('wants another password'),
    })
    await expect(runSweep(random, { engine: engine(wrong) })).rejects.not.toMatchObject({
      message: expect.stringContaining('wrong'),
    })
  })

  it('is reached by TLS, with its certificate checked', async () => {
    const { cert, key } = certificate()
    const port = await freePort()
    await server([
      '--tls-port',
      String(port),
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      '--tls-auth-clients',
      'no',
    ])
    const connection = { host: '127.0.0.1', port, tls: { ca: readFileSync(cert) } }
    const stop = new AbortController()
    const running = runWorker({ connection, jobs, signal: stop.signal })
    expect((await runSweep(random, { engine: redisEngine({ connection }) })).complete).toBe(true)
    stop.abort()
    await running
    await expect(runSweep(random, { engine: engine(`rediss://127.0.0.1:${port}`) })).rejects.toMatchObject({
      code: 'REDIS',
      message: expect.stringContaining('TLS does not hold'),
    })
  })

  it('that is not there is named at once', async () => {
    const port = await freePort()
    const began = performance.now()
    await expect(runSweep(random, { engine: engine(`redis://:secret@127.0.0.1:${port}`) })).rejects.toMatchObject({
      code: 'REDIS',
      message: `redis://127.0.0.1:${port}: cannot be reached (ECONNREFUSED); start redis-server there, or pass another address`,
    })
    expect(performance.now() - began).toBeLessThan(4000)
    await sleep(0)
  })
})
