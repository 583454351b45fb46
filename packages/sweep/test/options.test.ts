import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkSweep, choice, localEngine, runJobs, runSweep } from '@rowwise/sweep'
import { redisEngine, runWorker } from '@rowwise/sweep/redis'
import { describe, expect, it } from 'vitest'

const connection = 'redis://127.0.0.1:1'
const jobs = { trial: () => ({ metrics: { loss: 1 } }) }
const directory = mkdtempSync(join(tmpdir(), 'rowwise-sweep-'))
const engine = localEngine({ jobs, directory })
const sweep = {
  name: 'options',
  space: { x: choice([1]) },
  search: { type: 'grid' },
  objective: { metric: 'loss', better: 'lower' },
} as const
const shards = [{ key: '0', kind: 'shard', data: {} }]
const set = { name: 'options', definition: {}, engine }

/** The error of wrong options, which may be of any type. */
const refused = (message: string) => ({ code: 'SWEEP_DEFINITION', message: expect.stringContaining(message) })

describe('localEngine refuses', () => {
  it.each<[string, unknown]>([
    ['got undefined as its options', undefined],
    ["has no option 'dir'", { jobs, directory, dir: '/tmp' }],
    ['directory is undefined', { jobs }],
    ['directory is ""', { jobs, directory: '' }],
    ['retryFailed is "no", expected true or false', { jobs, directory, retryFailed: 'no' }],
    ['jobs is undefined, expected an object with a function trial or shard', { directory }],
    ['jobs is null', { directory, jobs: null }],
    ['jobs is {}', { directory, jobs: {} }],
    ['jobs is a function', { directory, jobs: jobs.trial }],
    ['jobs is an object with trail', { directory, jobs: { trail: jobs.trial } }],
    ['jobs is an object with trial', { directory, jobs: { trial: 5 } }],
  ])('%s', (message, options) => {
    expect(() => localEngine(options as never)).toThrow(expect.objectContaining(refused(message)))
  })
})

describe('redisEngine refuses', () => {
  it.each<[string, unknown]>([
    ['got undefined as its options', undefined],
    ["has no option 'workers'", { connection, workers: 2 }],
    ['retryFailed is 1', { connection, retryFailed: 1 }],
    ['onNote is "x", expected a function', { connection, onNote: 'x' }],
    ['files is {}, expected a directory, or what s3Files() gives', { connection, files: {} }],
  ])('%s', (message, options) => {
    expect(() => redisEngine(options as never)).toThrow(expect.objectContaining(refused(message)))
  })

  it('no connection, when it is opened', async () => {
    const nowhere = redisEngine({ connection: undefined as never })
    await expect(runSweep(sweep, { engine: nowhere })).rejects.toMatchObject({
      code: 'REDIS',
      message: expect.stringContaining('undefined is not an address of Redis, expected redis://host:6379'),
    })
  })
})

describe('runWorker refuses', () => {
  it.each<[string, unknown]>([
    ['got undefined as its options', undefined],
    ["has no option 'idelSeconds', expected some of connection, jobs", { connection, jobs, idelSeconds: 1 }],
    ['idleSeconds is "a", expected a number of at least 0', { connection, jobs, idleSeconds: 'a' }],
    ['idleSeconds is -1', { connection, jobs, idleSeconds: -1 }],
    ['lostAfterSeconds is 0, expected a number over 0', { connection, jobs, lostAfterSeconds: 0 }],
    ['lostAfterSeconds is "5"', { connection, jobs, lostAfterSeconds: '5' }],
    ['lostAfterSeconds is Infinity', { connection, jobs, lostAfterSeconds: Number.POSITIVE_INFINITY }],
    ['onOutcome is true', { connection, jobs, onOutcome: true }],
    ['signal is {}, expected an AbortSignal', { connection, jobs, signal: new AbortController() }],
    ['jobs is undefined', { connection }],
    ['jobs is an object with trail', { connection, jobs: { trail: jobs.trial } }],
  ])('%s', async (message, options) => {
    await expect(runWorker(options as never)).rejects.toMatchObject(refused(message))
  })

  it('no connection', async () => {
    const options = { connection: undefined as never, jobs }
    await expect(runWorker(options)).rejects.toMatchObject({ code: 'REDIS' })
  })
})

describe('runSweep refuses', () => {
  it.each<[string, unknown]>([
    ['got undefined as its options', undefined],
    ["has no option 'onrow', expected some of engine, onRow, signal", { engine, onrow() {} }],
    ['engine is undefined, expected what localEngine() or redisEngine() gives', {}],
    ['onRow is 1', { engine, onRow: 1 }],
    ['signal is null', { engine, signal: null }],
  ])('%s', async (message, options) => {
    await expect(runSweep(sweep, options as never)).rejects.toMatchObject(refused(message))
  })

  it.each<[string, unknown]>([
    ['fixed.a.b is NaN', { a: { b: Number.NaN } }],
    ['fixed.a[1] is Infinity', { a: [0, Number.POSITIVE_INFINITY] }],
    ['fixed.a is a function', { a: () => {} }],
    ['fixed.a is 5n', { a: 5n }],
    ['fixed.a is of class Date', { a: new Date(0) }],
    ['fixed.a[0] is undefined', { a: [undefined] }],
  ])('%s', (message, fixed) => {
    expect(() => checkSweep({ ...sweep, fixed })).toThrow(expect.objectContaining(refused(message)))
  })

  it('settings that are within themselves', () => {
    const fixed: Record<string, unknown> = { list: [] }
    ;(fixed.list as unknown[]).push({ all: fixed })
    const message = 'fixed.list[0].all is within itself'
    expect(() => checkSweep({ ...sweep, fixed })).toThrow(expect.objectContaining(refused(message)))
  })

  it('nothing that JSON can hold', () => {
    const shared = { a: [1, 'x', true, null] }
    expect(() => checkSweep({ ...sweep, fixed: { one: shared, other: shared, absent: undefined } })).not.toThrow()
  })
})

describe('runJobs refuses', () => {
  it.each<[string, unknown]>([
    ['got undefined as its options', undefined],
    ["has no option 'onoutcome'", { ...set, onoutcome() {} }],
    ['name is "../x"', { ...set, name: '../x' }],
    ['definition is undefined', { ...set, definition: undefined }],
    ['engine is undefined', { ...set, engine: undefined }],
    ['shared is 5', { ...set, shared: 5 }],
    ['onOutcome is {}', { ...set, onOutcome: {} }],
  ])('%s', async (message, options) => {
    await expect(runJobs(shards as never, options as never)).rejects.toMatchObject(refused(message))
  })

  it.each<[string, unknown]>([
    ['the jobs are null, expected an array', null],
    ['job 1 is null', [...shards, null]],
    ['job 0 is {"key":"0","kind":"toString","data":{}}', [{ ...shards[0], kind: 'toString' }]],
    ['job 0 is {"key":"0","kind":"shard"}', [{ key: '0', kind: 'shard' }]],
  ])('%s', async (message, given) => {
    await expect(runJobs(given as never, set)).rejects.toMatchObject({
      code: 'JOB_REFUSED',
      message: expect.stringContaining(message),
    })
  })
})
