import { cpus } from 'node:os'
import { renderTable } from '../show/table'
import { type Failure, onnxruntime, pytorch, rowwise, runSubject, type Subject, tfjsLayers } from '../subjects/subjects'
import { type ChildResult, REFERENCE_NETWORK, type Workload } from '../workload'

/** The flags of `rowwise-bench peers`. */
export interface PeersFlags {
  python: string
  newerNode?: string
  rounds: number
  seconds: number
  json?: boolean
}

/** A subject with what is timed of it. */
interface Entry {
  subject: Subject
  workloads: Workload[]
}

/** A line of the comparison: ours against the best of some peers. */
interface Comparison {
  measure: string
  workload: Workload
  ours: string
  peers: string[]
}

const train = (batch: number): Workload => ({ kind: 'train', batch })
const predict = (batch: number): Workload => ({ kind: 'predict', batch })
const everything = [train(64), train(256), predict(1), predict(64), predict(1000)]
const keyOf = ({ kind, batch }: Workload): string => `${kind} ${batch}`

/** `rowwise-bench peers`: everyone in turn, round after round; the ratios are medians over the rounds. */
export async function peers(flags: PeersFlags): Promise<void> {
  const entries = entriesFor(flags)
  const rounds: Record<string, ChildResult | Failure>[] = []
  for (let round = 0; round < flags.rounds; round++) {
    const results: Record<string, ChildResult | Failure> = {}
    for (const { subject, workloads } of entries) {
      process.stderr.write(`round ${round + 1}/${flags.rounds}: ${subject.name}\n`)
      const task = { network: REFERENCE_NETWORK, workloads, seconds: flags.seconds }
      results[subject.name] = await runSubject(subject, task)
    }
    rounds.push(results)
  }
  const rows = comparisons(flags).map((comparison) => ({ ...comparison, ...evaluate(comparison, rounds) }))
  const machine = `${cpus()[0]?.model ?? 'unknown processor'} × ${cpus().length}, Node ${process.versions.node}`
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ schema: 1, machine, rows, rounds })}\n`)
    return
  }
  const cells = rows.map(({ measure, oursMs, peerMs, ratio, best }) => [
    measure,
    format(oursMs, 'ms'),
    format(peerMs, 'ms'),
    format(ratio, '×'),
    best,
  ])
  process.stdout.write(`${machine}\n${renderTable(['measure', 'Rowwise', 'peer', 'ratio', 'the peer'], cells)}\n`)
  for (const line of failures(rounds)) process.stdout.write(`${line}\n`)
}

function entriesFor({ python, newerNode }: PeersFlags): Entry[] {
  const wasm = { backend: 'wasm' }
  const newer = newerNode
    ? [1, 2].map((threads) => rowwise(`newer Node, ${threads}`, { ...wasm, threads, node: newerNode }))
    : []
  return [
    { subject: rowwise('SIMD, 1', { ...wasm, kernels: 'simd', threads: 1 }), workloads: everything },
    { subject: pytorch(1, python), workloads: everything },
    { subject: rowwise('SIMD, 2', { ...wasm, kernels: 'simd', threads: 2 }), workloads: everything },
    { subject: pytorch(2, python), workloads: everything },
    ...newer.map((subject) => ({ subject, workloads: everything })),
    ...[1, 2].map((threads) => ({
      subject: onnxruntime(threads),
      workloads: [predict(1), predict(64), predict(1000)],
    })),
    { subject: tfjsLayers('wasm'), workloads: [train(64)] },
    { subject: rowwise('composed graph', { ...wasm, kernels: 'off', threads: 1 }), workloads: [train(64)] },
    { subject: rowwise('plain JavaScript', { backend: 'cpu', kernels: 'js', threads: 1 }), workloads: [train(64)] },
    { subject: tfjsLayers('cpu'), workloads: [train(64)] },
  ]
}

function comparisons({ newerNode }: PeersFlags): Comparison[] {
  const torch = ['PyTorch, 1 thread', 'PyTorch, 2 threads']
  const newer: Comparison[] = [
    { measure: 'training, batch 64, 2 threads, newer Node', workload: train(64), ours: 'newer Node, 2', peers: torch },
    {
      measure: 'training, batch 64, 1 thread, newer Node',
      workload: train(64),
      ours: 'newer Node, 1',
      peers: torch.slice(0, 1),
    },
  ]
  return [
    { measure: 'training, batch 64, 2 threads', workload: train(64), ours: 'SIMD, 2', peers: torch },
    { measure: 'training, batch 64, 1 thread', workload: train(64), ours: 'SIMD, 1', peers: torch.slice(0, 1) },
    ...(newerNode ? newer : []),
    { measure: 'training, batch 64, 2 threads', workload: train(64), ours: 'SIMD, 2', peers: ['tfjs-layers, wasm'] },
    { measure: 'training, batch 64, 2 threads', workload: train(64), ours: 'SIMD, 2', peers: ['composed graph'] },
    { measure: 'training, batch 256, 2 threads', workload: train(256), ours: 'SIMD, 2', peers: ['SIMD, 1'] },
    {
      measure: 'training, batch 64, no WASM',
      workload: train(64),
      ours: 'plain JavaScript',
      peers: ['tfjs-layers, cpu'],
    },
    { measure: 'prediction, batch 1', workload: predict(1), ours: 'SIMD, 1', peers: torch },
    { measure: 'prediction, batch 1000, 2 threads', workload: predict(1000), ours: 'SIMD, 2', peers: torch },
    {
      measure: 'prediction, batch 64, 1 thread',
      workload: predict(64),
      ours: 'SIMD, 1',
      peers: ['onnxruntime, 1 thread'],
    },
    {
      measure: 'prediction, batch 64, 2 threads',
      workload: predict(64),
      ours: 'SIMD, 2',
      peers: ['onnxruntime, 2 threads'],
    },
    {
      measure: 'prediction, batch 1000, 1 thread',
      workload: predict(1000),
      ours: 'SIMD, 1',
      peers: ['onnxruntime, 1 thread'],
    },
    {
      measure: 'prediction, batch 1000, 2 threads',
      workload: predict(1000),
      ours: 'SIMD, 2',
      peers: ['onnxruntime, 2 threads'],
    },
  ]
}

/** Medians over the rounds of our time, of the peers' best, and of their ratio round by round, in which drifts cancel. */
function evaluate({ workload, ours, peers }: Comparison, rounds: Record<string, ChildResult | Failure>[]) {
  const time = (round: (typeof rounds)[number], name: string): number => {
    const result = round[name]
    const timing =
      result && 'timings' in result
        ? result.timings.find((candidate) => keyOf(candidate) === keyOf(workload))
        : undefined
    return timing?.median ?? Number.NaN
  }
  const known = peers.filter((name) => rounds.some((round) => Number.isFinite(time(round, name))))
  const best = known.sort(
    (a, b) => median(rounds.map((round) => time(round, a))) - median(rounds.map((round) => time(round, b))),
  )[0]
  const oursMs = median(rounds.map((round) => time(round, ours)))
  if (best === undefined)
    return { oursMs, peerMs: Number.NaN, ratio: Number.NaN, best: `${peers.join(' or ')} (did not run)` }
  const peerMs = median(rounds.map((round) => time(round, best)))
  return { oursMs, peerMs, ratio: median(rounds.map((round) => time(round, best) / time(round, ours))), best }
}

function failures(rounds: Record<string, ChildResult | Failure>[]): string[] {
  const lines = rounds.flatMap((round) =>
    Object.entries(round).flatMap(([name, result]) =>
      'error' in result ? [`${name} did not run: ${result.error}`] : [],
    ),
  )
  return [...new Set(lines)]
}

function median(values: number[]): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function format(value: number, unit: string): string {
  return Number.isFinite(value) ? `${value.toFixed(value < 1 ? 3 : 2)} ${unit}` : '-'
}
