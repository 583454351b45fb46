import { availableParallelism } from 'node:os'
import { renderTable } from '../show/table'
import { rowwise, runSubject } from '../subjects/subjects'
import { flopsOf, REFERENCE_NETWORK, type Workload } from '../workload'

/** The flags of `rowwise-bench step`. */
export interface StepFlags {
  backend: string
  kernels: string
  threads?: number
  batch: number
  hiddenSize: number
  numLayers: number
  seconds: number
  json?: boolean
}

/** `rowwise-bench step`: a training step, and predictions at three batch sizes, on one backend. */
export async function step(flags: StepFlags): Promise<void> {
  const {
    backend,
    kernels,
    threads = Math.min(8, availableParallelism()),
    batch,
    hiddenSize,
    numLayers,
    seconds,
  } = flags
  const network = { ...REFERENCE_NETWORK, hiddenSize, numLayers }
  const predictions = [1, 64, 1000].map((size): Workload => ({ kind: 'predict', batch: size }))
  const workloads: Workload[] = [{ kind: 'train', batch }, ...predictions]
  const result = await runSubject(rowwise('Rowwise', { backend, kernels, threads }), { network, workloads, seconds })
  if ('error' in result) throw new Error(result.error)
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ schema: 1, network, ...result })}\n`)
    return
  }
  const rows = result.timings.map((timing) => [
    `${timing.kind === 'train' ? 'training step' : 'prediction'}, batch ${timing.batch}`,
    `${timing.median.toFixed(3)} ms`,
    `${timing.p99.toFixed(3)} ms`,
    `${Math.round((1000 * timing.batch) / timing.median)}/s`,
    `${(flopsOf(timing, network) / timing.median / 1e6).toFixed(1)}`,
  ])
  const table = renderTable(['', 'median', 'p99', 'samples', 'GFLOP/s'], rows)
  process.stdout.write(`${result.description}; peak memory ${Math.round(result.peakMemory)} MiB\n${table}\n`)
}
