import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { certificate, freePort, hasRedis } from '@rowwise/redis-server'
import { runJobs, runSweep } from '@rowwise/sweep'
import { readRedisSet, redisEngine, runWorker } from '@rowwise/sweep/redis'
import { Queue } from 'bullmq'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { atEnd, engine, jobs, program, random, server, shown, undisturbed, worker } from './redis-sweeps'

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

  it('that has no function for a job leaves it to others, and ends', async () => {
    const { url } = await server()
    const shards = [0, 1].map((k) => ({ key: String(k), kind: 'shard' as const, data: { from: k, to: k + 2 } }))
    const onlyTrials = { trial: () => ({ metrics: { loss: 1 } }) }
    const refused = expect(runWorker({ connection: url, jobs: onlyTrials })).rejects.toMatchObject({
      code: 'SWEEP_STORE',
      message: expect.stringContaining("has no function 'shard', it has trial"),
    })
    const found: unknown[] = []
    const isDone = runJobs(shards, {
      ...{ name: 'shards', definition: {}, engine: engine(url) },
      onOutcome: ({ status, attempts, value }) => void found.push([status, attempts, value?.sum]),
    })
    await refused
    worker(url)
    expect(await isDone).toBe(true)
    expect(found.sort()).toEqual([
      ['done', 1, 1],
      ['done', 1, 3],
    ])
  })

  it('whose callback throws ends with its error, and the outcome stays', async () => {
    const { url } = await server()
    const notes: string[] = []
    const fault = new Error('a fault of the callback')
    const onOutcome = () => {
      throw fault
    }
    const running = worker(url, { onOutcome, onNote: (note) => notes.push(note) })
    const ended = expect(running).rejects.toBe(fault)
    const result = runSweep(random, { engine: engine(url) })
    await ended
    expect(notes).toEqual([])
    expect((await readRedisSet(url, 'random')).outcomes).toHaveLength(1)
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

  it('that is told to stop leaves a trial that throws then to another, and no failure with it', async () => {
    const { url } = await server()
    const stop = new AbortController()
    const first = runWorker({
      connection: url,
      signal: stop.signal,
      jobs: {
        trial: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')))
            setTimeout(() => stop.abort(), 200)
          }),
      },
    })
    const result = runSweep(random, { engine: engine(url) })
    await first
    worker(url)
    expect(shown(await result)).toEqual(await undisturbed(random))
  })

  it('makes a row of a result that is no JSON', async () => {
    const { url } = await server()
    worker(url, { jobs: { trial: () => ({ metrics: { loss: 1 }, big: 1n }) as never } })
    const { rows } = await runSweep(random, { engine: engine(url) })
    expect(rows.map(({ status }) => status)).toEqual(Array(12).fill('failed'))
    expect(rows[0].reason).toContain('BigInt')
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
    atEnd(() => queue.close())
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
    atEnd(() => queue.close())
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
    atEnd(() => client.disconnect())
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
