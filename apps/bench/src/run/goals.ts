import { flopsOf } from '../workload'
import { type Ratio, roundRatio } from './ratios'
import type { Report, Row } from './report'

/** Something that Rowwise holds itself to, with what this run found. */
export interface Goal {
  measure: string
  found: number
  /** What must hold: at least, or at most where less is better. Absent where the figure is only to stand beside the others. */
  atLeast?: number
  /** What would be good. */
  aim?: number
  isLessBetter: boolean
  unit: '×' | '%' | 'MiB'
}

type Kind = Ratio['kind']

const STEP = { kind: 'train', batch: 64 } as const

/** The goals that this run has the figures for; those of the reference network. */
export function goalsOf(report: Report): Goal[] {
  const { rows, growth, programs } = report
  const find = (contestant: string, kind: Kind, batch: number): Row | undefined =>
    rows.find((row) => row.contestant === contestant && row.kind === kind && row.batch === batch)
  const best = (library: string, kind: Kind, batch: number): Row | undefined =>
    rows
      .filter((row) => row.contestant.startsWith(`${library},`) && row.kind === kind && row.batch === batch)
      .sort((a, b) => a.median - b.median)[0]
  const goals: Goal[] = []
  const more = (
    measure: string,
    found: number | undefined,
    atLeast?: number,
    aim?: number,
    unit: Goal['unit'] = '×',
  ) => {
    if (found !== undefined && Number.isFinite(found))
      goals.push({ measure, found, atLeast, aim, unit, isLessBetter: false })
  }
  const less = (measure: string, found: number | undefined, atLeast: number, aim: number, unit: Goal['unit'] = '×') => {
    if (found !== undefined && Number.isFinite(found))
      goals.push({ measure, found, atLeast, aim, unit, isLessBetter: true })
  }
  const times = (peer: Row | undefined, ours: Row | undefined): number | undefined =>
    peer && ours && roundRatio(peer, ours)

  const [one, two] = ['Rowwise, 1 thread', 'Rowwise, 2 threads']
  const newer = (name: string): string => `${name}, newer Node`
  const train = (name: string, batch = 64) => find(name, 'train', batch)
  const predict = (name: string, batch: number) => find(name, 'predict', batch)

  const pytorch = best('PyTorch', 'train', 64)
  more('training 64, 2 threads, against PyTorch at its best', times(pytorch, train(two)), 2, 2.5)
  more('… on the newer Node', times(pytorch, train(newer(two))), 2.7, 3.5)
  const single = train('PyTorch, 1 thread')
  more('training 64, 1 thread, against PyTorch on 1 thread', times(single, train(one)), 1.1, 1.4)
  more('… on the newer Node', times(single, train(newer(one))), 1.5, 2)
  const newest = best('newer PyTorch', 'train', 64)
  more('training 64, 2 threads, against the newer PyTorch at its best', times(newest, train(two)))
  more('… on the newer Node', times(newest, train(newer(two))))
  more('training 64, 2 threads, against tfjs-layers on WASM', times(train('tfjs-layers, wasm'), train(two)), 40, 60)
  more('… on the newer Node', times(train('tfjs-layers, wasm'), train(newer(two))), 40, 60)
  more('training 256, 2 threads, against 1 thread', times(train(one, 256), train(two, 256)), 1.8, 1.95)
  less('prediction 1, latency in PyTorch’s', times(predict(two, 1), best('PyTorch', 'predict', 1)), 0.5, 0.25)
  more(
    'prediction 1000, 2 threads, against PyTorch at its best',
    times(best('PyTorch', 'predict', 1000), predict(two, 1000)),
    1.5,
    2.5,
  )
  for (const batch of [64, 1000]) {
    for (const [name, threads] of [
      [one, '1 thread'],
      [two, '2 threads'],
    ]) {
      const peer = predict(`onnxruntime, ${threads}`, batch)
      more(`prediction ${batch}, ${threads}, against onnxruntime`, times(peer, predict(name, batch)), 0.5, 0.8)
      more('… on the newer Node', times(peer, predict(newer(name), batch)), 0.5, 0.8)
    }
  }
  more('training 64, 2 threads, against the composed graph', times(train('composed tfjs graph'), train(two)), 30, 50)
  more(
    'products in the kernels, 64, 1 thread, of the core’s peak in 128-bit vectors',
    percent(shareInKernels(train(one))),
    55,
    65,
    '%',
  )
  more('… on the newer Node', percent(shareInKernels(train(newer(one)))), 75, 85, '%')
  more(
    'training 64 without WASM, against tfjs-layers on cpu',
    times(train('tfjs-layers, cpu'), train('Rowwise, no WASM')),
    5,
    10,
  )
  less('a training step outside of the kernels, 64, 1 thread', percent(train(one)?.outside), 12, 5, '%')
  less('… 2 threads', percent(train(two)?.outside), 12, 5, '%')
  more('training 64 in Chromium, 2 threads, of Node’s', times(train(two), train(`${two}, Chromium`)), 0.8, 1)
  more('… 1 thread', times(train(one), train(`${one}, Chromium`)), 0.8, 1)
  const program = (name: string) => programs.find(({ contestant }) => contestant === name)
  const [ours, theirs] = [program('rowwise train'), program('PyTorch’s program')]
  const seconds = (of: typeof ours): number => of?.seconds ?? Number.NaN
  more('the whole program against PyTorch’s', seconds(theirs) / seconds(ours), 2.5, 5)
  more('… on the newer Node', seconds(theirs) / seconds(program('rowwise train, newer Node')), 2.5, 5)
  less('peak memory of rowwise train', ours?.peakMemory, 300, 200, 'MiB')
  for (const { of, points } of growth.filter((one) => one.of !== 'H')) {
    // A second layer is more work than the first: it reads H features, not I, and has a gradient by them.
    const work = points.map(({ size }) =>
      of === 'layers' ? flopsOf(STEP, { ...report.network, numLayers: size }) : size,
    )
    const factors = points.slice(1).map(({ ms }, k) => (2 * (ms / points[k].ms)) / (work[k + 1] / work[k]))
    const what = of === 'layers' ? 'doubling the work by more layers' : `doubling ${of}`
    less(`${what}, the most that a step grows by`, Math.max(...factors), 2.2, 2)
  }
  return goals
}

/** Whether a goal is met; undefined where there is none. */
export function isMet({ found, atLeast, isLessBetter }: Goal): boolean | undefined {
  if (atLeast === undefined) return undefined
  return isLessBetter ? found <= atLeast : found >= atLeast
}

const percent = (share: number | undefined): number | undefined => share && 100 * share

/**
 * The products' share of the peak while the kernels run: what is outside of them is a figure of its own. The peak is that of 128-bit
 * vectors, which WebAssembly has; where V8 makes 256-bit ones of two, twice as much would be possible.
 */
function shareInKernels(row: Row | undefined): number | undefined {
  return row && row.shareOfPeak / (1 - (row.outside ?? 0))
}
