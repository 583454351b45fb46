import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  choice,
  type JobContext,
  localEngine,
  readOutcomes,
  replaySweep,
  runJobs,
  runSweep,
  type Sweep,
  type Trial,
  type TrialReport,
  uniform,
} from '@rowwise/sweep'
import { afterEach, describe, expect, it, vi } from 'vitest'

const jobs = new URL('./fixtures/quadratic.mjs', import.meta.url)
const place = () => mkdtempSync(join(tmpdir(), 'rowwise-sweep-'))

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

afterEach(() => {
  vi.unstubAllEnvs()
  vi.useRealTimers()
})

describe('runSweep in this process', () => {
  it('finds the best of all trials', async () => {
    const lossAt = ({ x, y }: Record<string, number>) => (x - 0.3) ** 2 + (y - 0.7) ** 2
    const trial = async ({ config }: Trial) => ({ metrics: { loss: lossAt(config as never) } })
    const table = await runSweep(random, { engine: localEngine({ jobs: { trial }, directory: place() }) })
    const losses = table.rows.map(({ config }) => lossAt(config as never))
    expect(table.complete).toBe(true)
    expect(losses).toHaveLength(12)
    expect(table.best?.objective).toBe(Math.min(...losses))
    expect(losses).toEqual([...losses].sort((a, b) => a - b))
  })

  it('makes a row with its reason of a trial that fails three times', async () => {
    let calls = 0
    const trial = ({ number }: Trial) => {
      if (number !== 3) return { metrics: { loss: 1 } }
      calls += 1
      throw new Error('the loss became NaN')
    }
    const { rows } = await runSweep(random, { engine: localEngine({ jobs: { trial }, directory: place() }) })
    expect(calls).toBe(3)
    expect(rows.at(-1)).toMatchObject({ trial: 3, status: 'failed', reason: 'the loss became NaN', attempts: 3 })
  })

  it('says what a report lacks', async () => {
    const trial = () => ({ metrics: { accuracy: 1 } })
    const { best, rows } = await runSweep(random, { engine: localEngine({ jobs: { trial }, directory: place() }) })
    expect(best).toBeNull()
    expect(rows[0].reason).toBe('its report has undefined as loss, expected a finite number; it has accuracy')
  })

  it('leaves a trial behind that does not end within 20 s of being told to', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const stop = new AbortController()
    let isEnded = false
    const trial = () => {
      stop.abort()
      return new Promise<TrialReport>(() => {})
    }
    const directory = place()
    const engine = localEngine({ jobs: { trial }, directory })
    const result = runSweep(random, { engine, signal: stop.signal }).finally(() => {
      isEnded = true
    })
    await vi.waitUntil(() => stop.signal.aborted)
    await vi.advanceTimersByTimeAsync(19_900)
    expect(isEnded).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(await result).toMatchObject({ complete: false, rows: [] })
    const quick = localEngine({ jobs: { trial: () => ({ metrics: { loss: 1 } }) }, directory })
    expect((await runSweep(random, { engine: quick })).complete).toBe(true)
  })
})

describe('runSweep in processes', () => {
  it.each([random, halving])('gives the same table with one and with three workers: $name', async (sweep) => {
    const tables = []
    for (const workers of [1, 3]) {
      tables.push(shown(await runSweep(sweep, { engine: localEngine({ jobs, directory: place(), workers }) })))
    }
    expect(tables[1]).toEqual(tables[0])
  })

  it('goes on from the checkpoint of a trial that is promoted', async () => {
    const { rows } = await runSweep(halving, { engine: localEngine({ jobs, directory: place(), workers: 2 }) })
    const [best] = rows.filter(({ epochs }) => epochs === 9)
    expect(best.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(rows.every(({ status }) => status === 'done')).toBe(true) // the fixture throws when its files are not those of before
  })

  it('gives up a trial whose process dies ten times, and finishes the others', async () => {
    const sweep: Sweep = { ...random, space: { fault: choice(['none', 'dies', 'throws']) }, search: { type: 'grid' } }
    const { rows } = await runSweep(sweep, { engine: localEngine({ jobs, directory: place(), workers: 2 }) })
    expect(rows.map(({ reason, attempts }) => [reason, attempts])).toEqual([
      [null, 1],
      ['its process died 10 times: it was killed, or ran out of memory', 10],
      ['x is undefined, which cannot be', 3],
    ])
  })

  it('keeps the files of the best trial alone', async () => {
    const directory = place()
    const { best } = await runSweep(random, { engine: localEngine({ jobs, directory }) })
    expect(readdirSync(join(directory, 'files'))).toEqual([`${best?.trial}@1`])
  })
})

describe('a sweep that was stopped', () => {
  it('goes on where it was, and runs no trial twice', async () => {
    const [directory, log] = [place(), join(place(), 'log')]
    vi.stubEnv('SWEEP_LOG', log)
    const stop = new AbortController()
    const first = await runSweep(halving, {
      engine: localEngine({ jobs, directory }),
      signal: stop.signal,
      onRow: (_, { done }) => done === 7 && stop.abort(),
    })
    expect(first.complete).toBe(false)
    const table = await runSweep(halving, { engine: localEngine({ jobs, directory }) })
    const undisturbed = await runSweep(halving, { engine: localEngine({ jobs, directory: place() }) })
    expect(shown(table)).toEqual(shown(undisturbed))
    const ran = readFileSync(log, 'utf8').trim().split('\n')
    expect(ran.length).toBe(2 * new Set(ran).size) // each part once here, and once undisturbed
  })

  it.each([5, 50, 200])('ends soon, told %i ms after its start, while processes start', async (delay) => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), delay)
    const began = performance.now()
    await runSweep(random, {
      engine: localEngine({ jobs: new URL('./fixtures/slow.mjs', import.meta.url), directory: place(), workers: 2 }),
      signal: stop.signal,
    })
    expect(performance.now() - began).toBeLessThan(10_000) // a stop that is missed takes 20 s
  })

  it('is refused with other settings, naming the first', async () => {
    const directory = place()
    await runSweep(random, { engine: localEngine({ jobs, directory }) })
    const changed = { ...random, space: { ...random.space, x: uniform(0, 2) } }
    await expect(runSweep(changed, { engine: localEngine({ jobs, directory }) })).rejects.toMatchObject({
      code: 'SWEEP_MISMATCH',
      message: expect.stringContaining('space.x.uniform was [0,1], is now [0,2]'),
    })
  })

  it('is kept from a second program in the same directory', async () => {
    const directory = place()
    const stop = new AbortController()
    const trial = (_: Trial, { signal }: JobContext) =>
      new Promise<TrialReport>((resolve) => signal.addEventListener('abort', () => resolve({ metrics: {} })))
    const first = runSweep(random, { engine: localEngine({ jobs: { trial }, directory }), signal: stop.signal })
    await vi.waitUntil(() => existsSync(join(directory, 'outcomes')))
    await expect(runSweep(random, { engine: localEngine({ jobs, directory }) })).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
    })
    stop.abort()
    await first
  })

  it('can be read while it runs, and refuses an outcome that was altered', async () => {
    const directory = place()
    await runSweep(random, { engine: localEngine({ jobs, directory }) })
    const { definition, outcomes } = await readOutcomes(directory)
    expect(replaySweep(definition, outcomes)).toMatchObject({ complete: true, done: 12, total: 12 })
    writeFileSync(join(directory, 'outcomes', '3@1.json'), '{"key":"3@1"}')
    await expect(readOutcomes(directory)).rejects.toMatchObject({ code: 'JOB_REFUSED' })
  })

  it('names the file of a definition that was cut off', async () => {
    const directory = place()
    await runSweep(random, { engine: localEngine({ jobs, directory }) })
    writeFileSync(join(directory, 'definition.json'), '{"name":"ran')
    const message = expect.stringMatching(/definition\.json is no sweep's definition: .*; restore the file/)
    await expect(readOutcomes(directory)).rejects.toMatchObject({ code: 'SWEEP_NOT_FOUND', message })
  })
})

describe('jobs without the function that a job needs', () => {
  it('are no failure of the trials: the right module goes on', async () => {
    const directory = place()
    const wrong = localEngine({ jobs: new URL('./fixtures/only-train.mjs', import.meta.url), directory })
    await expect(runSweep(random, { engine: wrong })).rejects.toMatchObject({
      code: 'SWEEP_STORE',
      message: expect.stringMatching(/only-train\.mjs has no function 'trial', it has train; nothing is lost/),
    })
    const table = await runSweep(random, { engine: localEngine({ jobs, directory }) })
    expect(table.rows.every(({ status }) => status === 'done')).toBe(true)
  })

  it('are told from failures in this process, too', async () => {
    const engine = localEngine({ jobs: { shard: () => ({}) }, directory: place() })
    await expect(runSweep(random, { engine })).rejects.toMatchObject({
      code: 'SWEEP_STORE',
      message: expect.stringContaining("the object of jobs has no function 'trial', it has shard"),
    })
  })
})

describe('runJobs', () => {
  it('does shards once each', async () => {
    const shards = Array.from({ length: 5 }, (_, k) => ({
      key: String(k),
      kind: 'shard' as const,
      data: { from: 10 * k, to: 10 * k + 10 },
    }))
    const sums: unknown[] = []
    const options = { name: 'sums', definition: { shards: 5 } }
    const engine = () => localEngine({ jobs, directory, workers: 2 })
    const directory = place()
    const isDone = await runJobs(shards, {
      ...options,
      engine: engine(),
      onOutcome: ({ value }) => void sums.push(value?.sum),
    })
    expect(isDone).toBe(true)
    expect(sums.sort()).toEqual([145, 245, 345, 445, 45])
  })
})

describe('workers', () => {
  it.each([0, 1.5, -1])('cannot be %s', (workers) => {
    expect(() => localEngine({ jobs, directory: place(), workers })).toThrow(`workers is ${workers}`)
  })

  it('are processes, which need a module', () => {
    expect(() => localEngine({ jobs: { trial: () => ({ metrics: {} }) }, directory: place(), workers: 2 })).toThrow(
      'pass the address of a module',
    )
  })
})
