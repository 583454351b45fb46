import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { measureAll, type Plan } from '../src/measure/measure-all'
import { type Probe, Quietness } from '../src/measure/quietness'
import { exponentOf, median, medianDeviation, noiseOf } from '../src/measure/statistics'
import type { Subject } from '../src/subjects/subjects'
import { REFERENCE_NETWORK } from '../src/workload'

const directory = mkdtempSync(join(tmpdir(), 'rowwise-measure-'))

/** A subject that runs the given code at each request. */
function subject(name: string, onRequest: string): Subject {
  const path = join(directory, `${name}.mjs`)
  writeFileSync(
    path,
    `import { createInterface } from 'node:readline'
     console.log('a library says hello')
     console.log(JSON.stringify({ description: '${name}' }))
     for await (const line of createInterface({ input: process.stdin })) { const { workload } = JSON.parse(line); ${onRequest} }
     console.log(JSON.stringify({ peakMemory: 1 }))`,
  )
  const command = [process.execPath, path]
  return {
    name,
    library: name,
    runtime: '',
    isOurs: true,
    command,
    task: { threads: 1 },
    kinds: ['train', 'predict'],
    get: 'nothing',
  }
}

const answer = (milliseconds: string): string =>
  `console.log(JSON.stringify({ median: ${milliseconds}, p75: 1, p99: 1, mad: 0, steps: 1, sample: [1], first: 9, leaked: 0 }))`

const { signal } = new AbortController()

const plan: Plan = {
  network: REFERENCE_NETWORK,
  permuted: false,
  workloads: [
    { kind: 'train', batch: 64 },
    { kind: 'train', batch: 1000 },
  ],
  seconds: 0.2,
  peakGflops: 10,
  quietness: new Quietness({ time: async () => 1, end() {} }, 0, signal),
  signal,
  onProgress() {},
}

describe('a subject that', () => {
  it('crashes is listed with its error, and the others go on', async () => {
    const crashing = subject('crashing', 'throw new Error("out of memory, say")')
    const good = subject('good', answer('workload.batch / 64'))
    const { rows, absent } = await measureAll([crashing, good], plan)
    expect(rows.map((row) => [row.subject, row.batch, row.median])).toEqual([
      ['good', 64, 1],
      ['good', 1000, 1000 / 64],
    ])
    expect(absent[0]).toEqual({ subject: 'crashing, train 64', reason: 'Error: out of memory, say' })
  })

  it('does not start is named with the command that gets it', async () => {
    const missing = { ...subject('missing', ''), command: ['/nowhere/program'] }
    const { absent } = await measureAll([missing], plan)
    expect(absent).toEqual([{ subject: 'missing', reason: expect.stringMatching(/ENOENT; get it with: nothing$/) }])
  })

  it('is killed is listed with its signal', async () => {
    const { absent } = await measureAll([subject('killed', 'process.kill(process.pid, "SIGKILL")')], plan)
    expect(absent[0].reason).toBe('SIGKILL')
  })

  it('is slow is not run at large batches', async () => {
    const { rows, absent } = await measureAll([subject('slow', answer('1500'))], plan)
    expect(rows.map(({ batch }) => batch)).toEqual([64])
    expect(absent).toEqual([{ subject: 'slow, train 1000', reason: 'left out: a step would take about 23.4 s' }])
  })
})

describe('a timed run', () => {
  /** A machine that takes these milliseconds for the same work, one after the other, and the last of them from then on. */
  const machine = (...times: number[]): Probe => ({
    time: async () => (times.length > 1 ? (times.shift() as number) : times[0]),
    end() {},
  })

  it('waits until the machine is about as fast as it was at its best', async () => {
    const quietness = new Quietness(machine(10, 20, 13, 11.5), 60, signal)
    let waits = 0
    for (let run = 0; run < 3; run++) await quietness.beforeRun(() => waits++)
    expect([waits, quietness.report]).toEqual([2, { patience: 60, waited: expect.any(Number), runs: 3, disturbed: 0 }])
    expect(quietness.report.waited).toBeGreaterThan(0.15)
  })

  it('begins on a busy machine, and is counted, when patience is over', async () => {
    const quietness = new Quietness(machine(10, 20), 0.15, signal)
    for (let run = 0; run < 4; run++) await quietness.beforeRun(() => {})
    expect(quietness.report).toEqual({ patience: 0.15, waited: expect.any(Number), runs: 4, disturbed: 3 })
  })

  it('does not look at the machine without patience', async () => {
    const quietness = new Quietness({ ...machine(), time: () => Promise.reject(new Error('it looked')) }, 0, signal)
    await quietness.beforeRun(() => {})
    expect(quietness.report).toEqual({ patience: 0, waited: 0, runs: 1, disturbed: 0 })
  })

  it('stops waiting when the run is interrupted', async () => {
    const interruption = new AbortController()
    const quietness = new Quietness(machine(10, 20), 60, interruption.signal)
    await quietness.beforeRun(() => {})
    await quietness.beforeRun(() => interruption.abort())
    expect(quietness.report.disturbed).toBe(0)
  })

  it('does not use up measuring time while it waits', async () => {
    const report = { patience: 60, waited: 0, runs: 0, disturbed: 0 }
    const beforeRun = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 110))
      report.waited += 0.11
    }
    const quietness = { report, beforeRun, wait: async () => true }
    const { rows } = await measureAll([subject('patient', answer('1'))], { ...plan, quietness, seconds: 0.3 })
    expect(rows.every(({ rounds }) => rounds.length === 7)).toBe(true)
  })

  it('takes all subjects at one workload before the next, so that what a ratio compares was timed together', async () => {
    const order: string[] = []
    const onProgress = (text: string): number => order.push(text.replace(/^.*left: /, ''))
    await measureAll([subject('a', answer('1')), subject('b', answer('1'))], { ...plan, onProgress })
    expect(order.slice(2, 6)).toEqual(['a, train 64', 'b, train 64', 'a, train 1000', 'b, train 1000'])
  })
})

describe('statistics', () => {
  it('take the middle', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([]), medianDeviation([1, 2, 9])]).toEqual([
      2,
      2.5,
      Number.NaN,
      1,
    ])
    expect(noiseOf([5, 5, 5])).toBe(0)
  })

  it('find the exponent of a power', () => {
    const points = [1, 2, 4, 8].map((size) => ({ size, ms: 3 * size ** 1.5 }))
    expect(exponentOf(points)).toBeCloseTo(1.5, 10)
  })
})
