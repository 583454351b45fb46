import { ourName, ourNameInWasm, ourNameWithoutWasm } from '../subjects/subjects'
import { flopsOf } from '../workload'
import { roundRatio } from './ratios'
import type { Growth, Report, Row } from './report'

/** What a figure is held against; absent where it only stands beside the others. */
interface Limits {
  /** What must hold: at least, or at most where less is better. */
  atLeast?: number
  /** What would be good. */
  aim?: number
}

/** What a figure reached: the aim, only what must hold, or not even that; null without limits. */
export type Verdict = 'aim' | 'at least' | 'missed' | null

/** Something that Rowwise holds itself to, and what this run found. */
export interface Goal extends Limits {
  measure: string
  /** What ours ran in: `Node 26.10`. */
  on: string
  found: number
  isLessBetter: boolean
  unit: '×' | '%' | 'MiB'
  verdict: Verdict
}

/** Judges a figure. An aim is never reached where what must hold was missed. */
export function verdictOf(found: number, { atLeast, aim }: Limits, isLessBetter: boolean): Verdict {
  const reaches = (limit: number): boolean => (isLessBetter ? found <= limit : found >= limit)
  if (atLeast === undefined) return null
  if (!reaches(atLeast)) return 'missed'
  return aim !== undefined && reaches(aim) ? 'aim' : 'at least'
}

/** Against PyTorch 2: what oneDNN computes. Its predecessors stand beside it, without limits. */
const TRAINING_PYTORCH = { atLeast: 1.6, aim: 2.2 }
const TRAINING_PYTORCH_ONE_THREAD = { atLeast: 1.6, aim: 2 }
const LARGER = { atLeast: 1.15, aim: 1.5 }
/** What a user puts together of layers. */
const COMPOSED = { atLeast: 1.3, aim: 2 }
/** By the names of measure/networks.ts. */
const OTHER_NETWORKS: Readonly<Record<string, Limits>> = {
  '64 with 128 hidden units': LARGER,
  '64 with 256 hidden units': LARGER,
  '64 with 512 hidden units': LARGER,
  '32 with two layers of 256, 100 steps of 40': LARGER,
  '64 over 784 steps of 1': { atLeast: 2.5, aim: 4 },
  '64 with a GRU': { atLeast: 1.6, aim: 2 },
  '64 in both directions, by length': COMPOSED,
  '32 texts of 64 characters, two layers of 128': COMPOSED,
  '1 with 256 hidden units, 100 steps of 40': { atLeast: 1, aim: 1.3 },
  '1 with 1024 hidden units, 50 steps of 256': { atLeast: 1, aim: 1.3 },
}
const NATIVE = { atLeast: 1.6, aim: 2.1 }
const SHARE_OF_PEAK = { atLeast: 65, aim: 85 }
const TRAINING_TFJS_LAYERS = { atLeast: 80, aim: 120 }
const TWO_THREADS = { atLeast: 1.85, aim: 1.95 }
const PREDICTION_ONNXRUNTIME = { atLeast: 1, aim: 1.4 }
const LATENCY_ONNXRUNTIME = { atLeast: 1.3, aim: 0.9 }
const COMPOSED_GRAPH = { atLeast: 30, aim: 50 }
const WITHOUT_WASM = { atLeast: 5, aim: 10 }
const OUTSIDE = { atLeast: 15, aim: 8 }
const LOADER = { atLeast: 5, aim: 3 }
const CHROMIUM = { atLeast: 0.8, aim: 1 }
const PROGRAM = { atLeast: 5, aim: 8 }
const MEMORY = { atLeast: 300, aim: 200 }
const DOUBLING = { atLeast: 2.2, aim: 2 }

/** On two threads; small batches must be shared by them, too. */
const OTHER_NETWORKS_TOGETHER = { atLeast: 1, aim: 1.5 }

const STEP = { kind: 'train', batch: 64 } as const

/** The goals that this run has the figures for; the limits are those of the reference network, so others have none. */
export function goalsOf(report: Report): Goal[] {
  const { hiddenSize, numLayers, time } = report.network
  if (hiddenSize !== 64 || numLayers !== 1 || time !== 28) return []
  const nodes = runtimesOf(report, 'Node')
  return [
    ...nodes.flatMap((node) => speedGoals(new Figures(report, node))),
    ...runtimesOf(report, 'Chromium').flatMap((browser) => browserGoals(report, browser)),
    ...programGoals(report),
    ...report.growth.filter(({ of }) => of !== 'H').flatMap((growth) => growthGoal(report, growth)),
  ]
}

/** Versions that ours ran in, the newest first. */
function runtimesOf({ rows, programs }: Report, host: 'Node' | 'Chromium'): string[] {
  const names = [...rows.filter(({ isOurs }) => isOurs), ...programs].map(({ runtime }) => runtime)
  const version = (name: string): number[] => name.split(' ')[1].split('.').map(Number)
  return [...new Set(names)]
    .filter((name) => name.startsWith(`${host} `))
    .sort((a, b) => version(b)[0] - version(a)[0] || version(b)[1] - version(a)[1])
}

/** The rows of a report, and the goals that come of comparing them, for ours on one Node. */
class Figures {
  constructor(
    private readonly report: Report,
    readonly on: string,
  ) {}

  /** Ours with so many threads. */
  ours(threads: number, kind: Row['kind'], batch: number): Row | undefined {
    return this.named(ourName(this.on, threads), kind, batch)
  }

  named(subject: string, kind: Row['kind'], batch: number): Row | undefined {
    return this.report.rows.find((row) => row.subject === subject && row.kind === kind && row.batch === batch)
  }

  /** A library's fastest row. */
  best(library: string, kind: Row['kind'], batch: number): Row | undefined {
    return this.report.rows
      .filter((row) => row.library === library && row.kind === kind && row.batch === batch)
      .sort((a, b) => a.median - b.median)[0]
  }

  networks(): Report['networks'] {
    return this.report.networks
  }

  libraries(prefix: string): string[] {
    return [...new Set(this.report.rows.map(({ library }) => library))].filter((name) => name.startsWith(prefix))
  }

  /** How many times as fast ours is as a peer. */
  times(measure: string, peer: Row | undefined, ours: Row | undefined, limits: Limits): Goal[] {
    return goal(measure, this.on, peer && ours && roundRatio(peer, ours), limits, '×')
  }
}

function speedGoals(figures: Figures): Goal[] {
  const { on } = figures
  const [one, two] = [figures.ours(1, 'train', 64), figures.ours(2, 'train', 64)]
  return [
    ...figures.libraries('PyTorch ').flatMap((library) => pytorchGoals(figures, library)),
    ...figures.times(
      'training 64, 2 threads, against tfjs-layers on WASM',
      figures.named('tfjs-layers, wasm', 'train', 64),
      two,
      TRAINING_TFJS_LAYERS,
    ),
    ...figures.times(
      'training 64, 2 threads, against the composed graph',
      figures.named('composed tfjs graph', 'train', 64),
      two,
      COMPOSED_GRAPH,
    ),
    ...figures.times(
      'training 64 without WASM, against tfjs-layers on cpu',
      figures.named('tfjs-layers, cpu', 'train', 64),
      figures.named(ourNameWithoutWasm(on), 'train', 64),
      WITHOUT_WASM,
    ),
    ...figures.times(
      'training 256, 2 threads, against 1 thread',
      figures.ours(1, 'train', 256),
      figures.ours(2, 'train', 256),
      TWO_THREADS,
    ),
    ...figures.times(
      'training 64, 1 thread, native code against WASM',
      figures.named(ourNameInWasm(on, 1), 'train', 64),
      one,
      NATIVE,
    ),
    ...onnxruntimeGoals(figures),
    ...goal(
      'products in the kernels, 64, 1 thread, of the core’s peak',
      on,
      percent(shareInKernels(one)),
      SHARE_OF_PEAK,
      '%',
    ),
    ...lessIsBetter('a training step outside of the kernels, 64, 1 thread', on, percent(one?.outside), OUTSIDE, '%'),
    ...lessIsBetter('a training step outside of the kernels, 64, 2 threads', on, percent(two?.outside), OUTSIDE, '%'),
    ...lessIsBetter('the data loader in a training step, 64, 1 thread', on, percent(one?.loader), LOADER, '%'),
    ...lessIsBetter('the data loader in a training step, 64, 2 threads', on, percent(two?.loader), LOADER, '%'),
  ]
}

function pytorchGoals(figures: Figures, library: string): Goal[] {
  const limits = (those: Limits): Limits => (isJudged(library) ? those : {})
  const alone = `${library}, 1 thread`
  return [
    ...figures.times(
      `training 64, 1 thread, against ${library} on 1 thread`,
      figures.named(alone, 'train', 64),
      figures.ours(1, 'train', 64),
      limits(TRAINING_PYTORCH_ONE_THREAD),
    ),
    ...figures.times(
      `training 64, 2 threads, against ${library} at its best`,
      figures.best(library, 'train', 64),
      figures.ours(2, 'train', 64),
      limits(TRAINING_PYTORCH),
    ),
    ...figures.networks().flatMap(({ name, rows }) => {
      const named = (subject: string): Row | undefined => rows.find((row) => row.subject === subject)
      const what = rows[0]?.kind === 'predict' ? 'prediction' : 'training'
      const [best] = rows.filter((row) => row.library === library).sort((a, b) => a.median - b.median)
      return [
        ...figures.times(
          `${what} ${name}, 1 thread, against ${library}`,
          named(alone),
          named(ourName(figures.on, 1)),
          limits(OTHER_NETWORKS[name] ?? {}),
        ),
        ...figures.times(
          `${what} ${name}, 2 threads, against ${library} at its best`,
          best,
          named(ourName(figures.on, 2)),
          limits(OTHER_NETWORKS_TOGETHER),
        ),
      ]
    }),
  ]
}

/** Whether a PyTorch is one of today. */
const isJudged = (library: string): boolean => !library.startsWith('PyTorch 1.')

function onnxruntimeGoals(figures: Figures): Goal[] {
  const [ours, peer] = [figures.ours(1, 'predict', 1), figures.named('onnxruntime, 1 thread', 'predict', 1)]
  const latency = lessIsBetter(
    'prediction 1, time as a share of onnxruntime’s',
    figures.on,
    ours && peer && roundRatio(ours, peer),
    LATENCY_ONNXRUNTIME,
    '×',
  )
  const others = [64, 1000].flatMap((batch) =>
    [1, 2].flatMap((threads) => {
      const many = threads === 1 ? '1 thread' : `${threads} threads`
      return figures.times(
        `prediction ${batch}, ${many}, against onnxruntime`,
        figures.named(`onnxruntime, ${many}`, 'predict', batch),
        figures.ours(threads, 'predict', batch),
        PREDICTION_ONNXRUNTIME,
      )
    }),
  )
  return [...latency, ...others]
}

/** A browser is held against WebAssembly in the Node that ran the benchmark. */
function browserGoals(report: Report, browser: string): Goal[] {
  const node = `Node ${report.machine.node.split('.').slice(0, 2).join('.')}`
  const [inBrowser, inNode] = [new Figures(report, browser), new Figures(report, node)]
  return [2, 1].flatMap((threads) =>
    inBrowser.times(
      `training 64, ${threads} thread${threads > 1 ? 's' : ''}, against WASM in ${node}`,
      inNode.named(ourNameInWasm(node, threads), 'train', 64) ?? inNode.ours(threads, 'train', 64),
      inBrowser.ours(threads, 'train', 64),
      CHROMIUM,
    ),
  )
}

function programGoals({ programs }: Report): Goal[] {
  const ours = programs.filter(({ runtime }) => runtime !== '')
  const peers = programs.filter(({ runtime }) => runtime === '')
  return ours.flatMap(({ runtime, seconds, peakMemory }) => [
    ...peers.flatMap((peer) =>
      goal(
        `the whole program against that of ${peer.program}`,
        runtime,
        peer.seconds / seconds,
        isJudged(peer.program) ? PROGRAM : {},
        '×',
      ),
    ),
    ...lessIsBetter('peak memory of rowwise train', runtime, peakMemory ?? undefined, MEMORY, 'MiB'),
  ])
}

function growthGoal({ network }: Report, { of, subject, points }: Growth): Goal[] {
  // A second layer is more work than the first: it reads H features, not I, and has a gradient with respect to them.
  const work = points.map(({ size }) => (of === 'layers' ? flopsOf(STEP, { ...network, numLayers: size }) : size))
  const factors = points.slice(1).map(({ ms }, k) => (2 * (ms / points[k].ms)) / (work[k + 1] / work[k]))
  const what = of === 'layers' ? 'doubling the work by more layers' : `doubling ${of}`
  const on = subject.split(', ')[1] ?? subject
  return lessIsBetter(`${what}, the most that a step grows by`, on, Math.max(...factors), DOUBLING, '×')
}

function goal(
  measure: string,
  on: string,
  found: number | undefined,
  limits: Limits,
  unit: Goal['unit'],
  isLessBetter = false,
): Goal[] {
  if (found === undefined || !Number.isFinite(found)) return []
  return [{ measure, on, found, ...limits, isLessBetter, unit, verdict: verdictOf(found, limits, isLessBetter) }]
}

const lessIsBetter = (
  measure: string,
  on: string,
  found: number | undefined,
  limits: Limits,
  unit: Goal['unit'],
): Goal[] => goal(measure, on, found, limits, unit, true)

const percent = (share: number | undefined): number | undefined => share && 100 * share

/** The products' share of the peak while the kernels run: the time outside of them is another figure. */
function shareInKernels(row: Row | undefined): number | undefined {
  return row && row.shareOfPeak / (1 - (row.outside ?? 0))
}
