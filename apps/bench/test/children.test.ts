import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Contestant } from '../src/contestants/contestants'
import { goalsOf, isMet } from '../src/run/goals'
import { measureAll, type Plan } from '../src/run/measure-all'
import { type Probe, Quietness } from '../src/run/quietness'
import { changesSince, ratiosOf } from '../src/run/ratios'
import type { Report, Row } from '../src/run/report'
import { exponentOf, median, medianDeviation, noiseOf } from '../src/run/statistics'
import { REFERENCE_NETWORK } from '../src/workload'

const directory = mkdtempSync(join(tmpdir(), 'rowwise-children-'))

/** A contestant that is a program of ours, which speaks the children's language or fails to. */
function contestant(name: string, onTurn: string): Contestant {
  const path = join(directory, `${name}.mjs`)
  writeFileSync(
    path,
    `import { createInterface } from 'node:readline'
     console.log('a library says hello')
     console.log(JSON.stringify({ description: '${name}' }))
     for await (const line of createInterface({ input: process.stdin })) { const { workload } = JSON.parse(line); ${onTurn} }
     console.log(JSON.stringify({ peakMemory: 1 }))`,
  )
  const command = [process.execPath, path]
  return { name, isOurs: true, command, task: { threads: 1 }, kinds: ['train', 'predict'], get: 'nothing' }
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

describe('a contestant that', () => {
  it('crashes in a turn is a row that says so, and the others go on', async () => {
    const crashing = contestant('crashing', 'throw new Error("out of memory, say")')
    const good = contestant('good', answer('workload.batch / 64'))
    const { rows, absent } = await measureAll([crashing, good], plan)
    expect(rows.map(({ contestant, batch, median }) => [contestant, batch, median])).toEqual([
      ['good', 64, 1],
      ['good', 1000, 1000 / 64],
    ])
    expect(absent[0]).toEqual({ contestant: 'crashing, train 64', reason: 'Error: out of memory, say' })
  })

  it('does not start is named with the command that gets it', async () => {
    const missing = { ...contestant('missing', ''), command: ['/nowhere/program'] }
    const { absent } = await measureAll([missing], plan)
    expect(absent).toEqual([{ contestant: 'missing', reason: expect.stringMatching(/ENOENT; get it with: nothing$/) }])
  })

  it('is killed is told by its signal', async () => {
    const { absent } = await measureAll([contestant('killed', 'process.kill(process.pid, "SIGKILL")')], plan)
    expect(absent[0].reason).toBe('SIGKILL')
  })

  it('is slow is spared the large batches', async () => {
    const { rows, absent } = await measureAll([contestant('slow', answer('1500'))], plan)
    expect(rows.map(({ batch }) => batch)).toEqual([64])
    expect(absent).toEqual([{ contestant: 'slow, train 1000', reason: 'left out: a step would take about 23.4 s' }])
  })
})

describe('a turn', () => {
  /** A machine that needs these milliseconds for the same work, one after the other, and the last of them from then on. */
  const machine = (...times: number[]): Probe => ({
    time: async () => (times.length > 1 ? (times.shift() as number) : times[0]),
    end() {},
  })

  it('waits until the machine is about as fast as it was at its best', async () => {
    const quietness = new Quietness(machine(10, 20, 13, 11.5), 60, signal)
    let waits = 0
    for (let turn = 0; turn < 3; turn++) await quietness.beforeTurn(() => waits++)
    expect([waits, quietness.report]).toEqual([2, { patience: 60, waited: expect.any(Number), turns: 3, disturbed: 0 }])
    expect(quietness.report.waited).toBeGreaterThan(0.15)
  })

  it('is taken all the same, and counted, when patience is over', async () => {
    const quietness = new Quietness(machine(10, 20), 0.15, signal)
    for (let turn = 0; turn < 4; turn++) await quietness.beforeTurn(() => {})
    expect(quietness.report).toEqual({ patience: 0.15, waited: expect.any(Number), turns: 4, disturbed: 3 })
  })

  it('does not look at the machine without patience', async () => {
    const quietness = new Quietness({ ...machine(), time: () => Promise.reject(new Error('it looked')) }, 0, signal)
    await quietness.beforeTurn(() => {})
    expect(quietness.report).toEqual({ patience: 0, waited: 0, turns: 1, disturbed: 0 })
  })

  it('stops waiting when the run is interrupted', async () => {
    const interruption = new AbortController()
    const quietness = new Quietness(machine(10, 20), 60, interruption.signal)
    await quietness.beforeTurn(() => {})
    await quietness.beforeTurn(() => interruption.abort())
    expect(quietness.report.disturbed).toBe(0)
  })

  it('does not use up measuring time while it waits', async () => {
    const report = { patience: 60, waited: 0, turns: 0, disturbed: 0 }
    const beforeTurn = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 110))
      report.waited += 0.11
    }
    const quietness = { report, beforeTurn, wait: async () => true }
    const { rows } = await measureAll([contestant('patient', answer('1'))], { ...plan, quietness, seconds: 0.3 })
    expect(rows.every(({ rounds }) => rounds.length === 5)).toBe(true)
  })
})

const row = (contestant: string, rounds: number[]): Row =>
  ({
    contestant,
    isOurs: contestant.startsWith('Rowwise'),
    kind: 'train',
    batch: 64,
    rounds,
    median: median(rounds),
  }) as Row

describe('ratios', () => {
  it('are medians of the rounds’ ratios, of the best of each', () => {
    const rows = [
      row('Rowwise, 1', [9, 9, 9]),
      row('Rowwise, 2', [1, 2, 4]),
      row('peer, 1', [3, 6, 40]),
      row('peer, 2', [50, 50, 50]),
    ]
    expect(ratiosOf(rows).map(({ ours, peer, ratio }) => [ours.contestant, peer.contestant, ratio])).toEqual([
      ['Rowwise, 2', 'peer, 1', 3],
    ])
  })

  it('with an older report count only beyond the noise of both', () => {
    const verdict = (before: number[], now: number[]) =>
      changesSince({ schema: 4, rows: [row('a', before)] }, [row('a', now)])[0].verdict
    expect(verdict([10, 10, 10], [10.2, 10.2, 10.2])).toBe('same')
    expect(verdict([10, 10, 10], [11, 11, 11])).toBe('slower')
    expect(verdict([11, 11, 11], [10, 10, 10])).toBe('faster')
    expect(verdict([8, 10, 12], [9, 11, 13])).toBe('same')
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

describe('goals', () => {
  const report = (part: Partial<Report>): Report =>
    ({ rows: [], growth: [], programs: [], network: REFERENCE_NETWORK, ...part }) as unknown as Report
  const found = (part: Partial<Report>) =>
    goalsOf(report(part)).map((goal) => [goal.measure, Number(goal.found.toPrecision(6)), isMet(goal)])

  it('are listed only where both sides were measured', () => {
    expect(found({})).toEqual([])
    expect(found({ rows: [row('Rowwise, 2 threads', [1])] })).toEqual([])
  })

  it('compare with the best of a peer, round by round', () => {
    const rows = [
      row('Rowwise, 2 threads', [1, 2]),
      row('PyTorch, 1 thread', [4, 4]),
      row('PyTorch, 2 threads', [3, 3]),
    ]
    expect(found({ rows })).toEqual([['training 64, 2 threads, against PyTorch at its best', 2.25, true]])
    const slower = [row('Rowwise, 2 threads', [2, 2]), row('PyTorch, 2 threads', [3, 3])]
    expect(found({ rows: slower })).toEqual([['training 64, 2 threads, against PyTorch at its best', 1.5, false]])
  })

  it('hold the share outside of the kernels under a limit, and the products against the time inside', () => {
    const one = { ...row('Rowwise, 1 thread', [1]), outside: 0.2, shareOfPeak: 0.4 }
    expect(found({ rows: [one] })).toEqual([
      ['products in the kernels, 64, 1 thread, of the core’s peak in 128-bit vectors', 50, false],
      ['a training step outside of the kernels, 64, 1 thread', 20, false],
    ])
  })

  it('measure the growth of layers by the work that they add, that of steps by their number', () => {
    const growthOf = (of: string, ...times: number[]) => ({
      ...{ of, contestant: 'Rowwise', exponent: 1 },
      points: times.map((ms, k) => ({ size: 2 ** k, ms })),
    })
    expect(found({ growth: [growthOf('T', 1, 2, 4.6)] })).toEqual([
      ['doubling T, the most that a step grows by', 2.3, false],
    ])
    const [[, factor]] = found({ growth: [growthOf('layers', 1, 2.5)] })
    expect(factor).toBeLessThan(2)
  })

  it('compare whole programs', () => {
    const program = (contestant: string, seconds: number, peakMemory: number) => ({
      ...{ contestant, seconds, peakMemory, epochs: 10 },
    })
    const programs = [program('rowwise train', 20, 210), program('PyTorch’s program', 80, 400)]
    expect(found({ programs })).toEqual([
      ['the whole program against PyTorch’s', 4, true],
      ['peak memory of rowwise train', 210, true],
    ])
  })
})
