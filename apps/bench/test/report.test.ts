import { describe, expect, it } from 'vitest'
import { median } from '../src/measure/statistics'
import { goalsOf, verdictOf } from '../src/report/goals'
import { changesSince, ratiosOf } from '../src/report/ratios'
import type { Report, Row } from '../src/report/report'
import { foundIn } from '../src/show/tables'
import { REFERENCE_NETWORK } from '../src/workload'

/** A row of a training step at batch 64, from its subject's name and its rounds. */
function row(subject: string, rounds: number[], more: Partial<Row> = {}): Row {
  const [library, runtime] = subject.split(', ')
  const isOurs = library === 'Rowwise'
  return {
    ...{ subject, library, runtime: isOurs ? runtime : '', isOurs, kind: 'train', batch: 64, threads: 1 },
    ...{ rounds, median: median(rounds), samplesPerSecond: 64_000 / median(rounds) },
    ...more,
  } as Row
}

const report = (part: Partial<Report>): Report =>
  ({
    ...{ rows: [], growth: [], networks: [], programs: [], network: REFERENCE_NETWORK, machine: { node: '20.20.2' } },
    ...part,
  }) as unknown as Report

describe('ratios', () => {
  it('are medians of the rounds’ ratios, of the best of each library', () => {
    const rows = [
      row('Rowwise, Node 20.20, 1 thread', [9, 9, 9]),
      row('Rowwise, Node 26.10, 2 threads', [1, 2, 4]),
      row('peer, 1 thread', [3, 6, 40]),
      row('peer, 2 threads', [50, 50, 50]),
    ]
    expect(ratiosOf(rows).map(({ ours, peer, ratio }) => [ours.subject, peer.subject, ratio])).toEqual([
      ['Rowwise, Node 26.10, 2 threads', 'peer, 1 thread', 3],
    ])
  })

  it('keep two versions of a library apart', () => {
    const rows = [
      row('Rowwise, Node 26.10, 2 threads', [1]),
      row('PyTorch 1.13 (OpenBLAS), 2 threads', [3]),
      row('PyTorch 2.15 (oneDNN), 2 threads', [2]),
    ]
    expect(ratiosOf(rows).map(({ peer, ratio }) => [peer.library, ratio])).toEqual([
      ['PyTorch 2.15 (oneDNN)', 2],
      ['PyTorch 1.13 (OpenBLAS)', 3],
    ])
  })

  it('with an older report count only beyond the noise of both', () => {
    const verdict = (before: number[], now: number[]) =>
      changesSince({ rows: [row('a', before)] }, [row('a', now)])[0].verdict
    expect(verdict([10, 10, 10], [10.2, 10.2, 10.2])).toBe('same')
    expect(verdict([10, 10, 10], [11, 11, 11])).toBe('slower')
    expect(verdict([11, 11, 11], [10, 10, 10])).toBe('faster')
    expect(verdict([8, 10, 12], [9, 11, 13])).toBe('same')
  })
})

describe('a verdict', () => {
  it.each([
    ['the aim, where more is better', 3, false, 'aim'],
    ['only what must hold', 2, false, 'at least'],
    ['nothing', 1.99, false, 'missed'],
    ['the aim, where less is better', 2, true, 'at least'],
    ['nothing, where less is better', 2.01, true, 'missed'],
  ])('says that a figure reaches %s', (_, found, isLessBetter, verdict) => {
    const limits = isLessBetter ? { atLeast: 2, aim: 1 } : { atLeast: 2, aim: 3 }
    expect(verdictOf(found, limits, isLessBetter)).toBe(verdict)
  })

  it('is none without limits', () => {
    expect(verdictOf(5, {}, false)).toBeNull()
  })

  it('fits the figure as it is shown, which gets more digits near a limit', () => {
    const goal = { measure: 'm', on: 'Node 26.10', isLessBetter: false, unit: '×', atLeast: 1.8, aim: 1.95 } as const
    expect(foundIn({ ...goal, found: 1.94967, verdict: 'at least' })).toBe('1.9497 ×')
    expect(foundIn({ ...goal, found: 1.90123, verdict: 'at least' })).toBe('1.9 ×')
  })
})

describe('goals', () => {
  const found = (part: Partial<Report>) =>
    goalsOf(report(part)).map((goal) => [goal.measure, goal.on, Number(goal.found.toPrecision(6)), goal.verdict])

  it('are listed only where both sides were measured', () => {
    expect(found({})).toEqual([])
    expect(found({ rows: [row('Rowwise, Node 20.20, 2 threads', [1])] })).toEqual([])
  })

  it('are those of the reference network', () => {
    const rows = [row('Rowwise, Node 20.20, 2 threads', [1]), row('composed tfjs graph', [40])]
    expect(found({ rows })).toHaveLength(1)
    expect(found({ rows, network: { ...REFERENCE_NETWORK, hiddenSize: 128 } })).toEqual([])
  })

  it('compare with the best of a peer, round by round', () => {
    const measure = 'training 64, 2 threads, against PyTorch 2.15 (oneDNN) at its best'
    const peers = [row('PyTorch 2.15 (oneDNN), 1 thread', [4, 4]), row('PyTorch 2.15 (oneDNN), 2 threads', [3, 3])]
    const ours = (rounds: number[]) => [row('Rowwise, Node 20.20, 2 threads', rounds)]
    expect(found({ rows: [...ours([1, 2]), ...peers] })).toEqual([[measure, 'Node 20.20', 2.25, 'aim']])
    expect(found({ rows: [...ours([2, 2]), ...peers] })).toEqual([[measure, 'Node 20.20', 1.5, 'missed']])
  })

  it('are held by every Node, the newest first', () => {
    const rows = [
      row('PyTorch 2.15 (oneDNN), 2 threads', [5]),
      row('Rowwise, Node 20.20, 2 threads', [4]),
      row('Rowwise, Node 26.10, 2 threads', [2]),
    ]
    expect(found({ rows }).map(([, on, , verdict]) => [on, verdict])).toEqual([
      ['Node 26.10', 'aim'],
      ['Node 20.20', 'missed'],
    ])
  })

  it('have no limits against versions of PyTorch that are gone', () => {
    const rows = [row('PyTorch 1.13 (OpenBLAS), 2 threads', [1]), row('Rowwise, Node 26.10, 2 threads', [2])]
    expect(found({ rows })).toEqual([
      ['training 64, 2 threads, against PyTorch 1.13 (OpenBLAS) at its best', 'Node 26.10', 0.5, null],
    ])
  })

  it('hold other networks against PyTorch on one thread, each under its own limits', () => {
    const name = '64 over 784 steps of 1'
    const rows = [row('PyTorch 2.15 (oneDNN), 1 thread', [9]), row('Rowwise, Node 26.10, 1 thread', [3])]
    const own = { rows: [row('Rowwise, Node 26.10, 1 thread', [3]), row('PyTorch 2.15 (oneDNN), 2 threads', [9])] }
    const networks = [{ name, network: REFERENCE_NETWORK, rows }]
    expect(found({ ...own, networks })).toContainEqual([
      `training ${name}, 1 thread, against PyTorch 2.15 (oneDNN)`,
      ...['Node 26.10', 3, 'at least'],
    ])
  })

  it('hold other networks on two threads against the fastest of PyTorch', () => {
    const name = '64 over 784 steps of 1'
    const peers = [row('PyTorch 2.15 (oneDNN), 1 thread', [9]), row('PyTorch 2.15 (oneDNN), 2 threads', [10])]
    const own = { rows: [row('Rowwise, Node 26.10, 1 thread', [3]), row('PyTorch 2.15 (oneDNN), 2 threads', [9])] }
    const networks = [
      { name, network: REFERENCE_NETWORK, rows: [...peers, row('Rowwise, Node 26.10, 2 threads', [10])] },
    ]
    expect(found({ ...own, networks })).toContainEqual([
      `training ${name}, 2 threads, against PyTorch 2.15 (oneDNN) at its best`,
      ...['Node 26.10', 0.9, 'missed'],
    ])
  })

  it('hold predictions of one sequence against PyTorch, too', () => {
    const name = '1 with 256 hidden units, 100 steps of 40'
    const predict = (subject: string, ms: number) => ({ ...row(subject, [ms]), kind: 'predict' as const })
    const own = { rows: [row('Rowwise, Node 26.10, 1 thread', [3]), row('PyTorch 2.15 (oneDNN), 2 threads', [9])] }
    const rows = [predict('PyTorch 2.15 (oneDNN), 1 thread', 6), predict('Rowwise, Node 26.10, 2 threads', 2)]
    expect(found({ ...own, networks: [{ name, network: REFERENCE_NETWORK, rows }] })).toContainEqual([
      `prediction ${name}, 2 threads, against PyTorch 2.15 (oneDNN) at its best`,
      ...['Node 26.10', 3, 'aim'],
    ])
  })

  it('hold native code against WebAssembly on the same Node', () => {
    const rows = [row('Rowwise, Node 26.10, WASM, 1 thread', [5]), row('Rowwise, Node 26.10, 1 thread', [2])]
    expect(found({ rows })).toEqual([['training 64, 1 thread, native code against WASM', 'Node 26.10', 2.5, 'aim']])
  })

  it('hold the share outside of the kernels under a limit, and the products against the time inside', () => {
    const rows = [row('Rowwise, Node 20.20, 1 thread', [1], { outside: 0.2, shareOfPeak: 0.4 })]
    expect(found({ rows })).toEqual([
      ['products in the kernels, 64, 1 thread, of the core’s peak', 'Node 20.20', 50, 'missed'],
      ['a training step outside of the kernels, 64, 1 thread', 'Node 20.20', 20, 'missed'],
    ])
  })

  it('hold the share of the data loader under a limit', () => {
    const rows = [row('Rowwise, Node 20.20, 2 threads', [1], { loader: 0.04 })]
    expect(found({ rows })).toEqual([
      ['the data loader in a training step, 64, 2 threads', 'Node 20.20', 4, 'at least'],
    ])
  })

  it('measure the growth of layers by the work that they add, that of steps by their number', () => {
    const growthOf = (of: string, ...times: number[]) => ({
      ...{ of, subject: 'Rowwise, Node 20.20, 2 threads', exponent: 1 },
      points: times.map((ms, k) => ({ size: 2 ** k, ms })),
    })
    expect(found({ growth: [growthOf('T', 1, 2, 4.6)] })).toEqual([
      ['doubling T, the most that a step grows by', 'Node 20.20', 2.3, 'missed'],
    ])
    const [[, , factor]] = found({ growth: [growthOf('layers', 1, 2.5)] })
    expect(factor).toBeLessThan(2)
  })

  it('compare whole programs', () => {
    const program = (name: string, runtime: string, seconds: number, peakMemory: number) => ({
      ...{ program: name, runtime, seconds, peakMemory, epochs: 10 },
    })
    const programs = [program('rowwise train', 'Node 26.10', 20, 210), program('PyTorch 2.15 (oneDNN)', '', 110, 400)]
    expect(found({ programs })).toEqual([
      ['the whole program against that of PyTorch 2.15 (oneDNN)', 'Node 26.10', 5.5, 'at least'],
      ['peak memory of rowwise train', 'Node 26.10', 210, 'at least'],
    ])
  })
})
