import { UsageError } from '../exit'
import { commandLine, describeMachine } from '../measure/machine'
import { median } from '../measure/statistics'
import { renderTable } from '../show/table'
import { findChromium, findNodes, type Host } from '../subjects/hosts'
import { RunningChild, type Startable } from '../subjects/running-child'
import { childProgram } from '../subjects/subjects'
import type { NetworkShape, StepTimes } from '../workload'

/** The flags of `rowwise-bench layers`. */
export interface LayersFlags {
  threads: number[]
  node: string[]
  chromium?: boolean
  rounds: number
  json?: boolean
}

/** What `fit` is timed on: `[64, 28, 28]` with 64 units, `[64, 100, 8]` with 128. */
const NETWORKS: readonly NetworkShape[] = [
  { time: 28, inputSize: 28, hiddenSize: 64, numLayers: 1, numClasses: 10 },
  { time: 100, inputSize: 8, hiddenSize: 128, numLayers: 1, numClasses: 10 },
]
const BATCH = 64
const SECONDS = 1

/** Steps of one subject, round by round, in milliseconds. */
interface Timed {
  fit: number[]
  predict: number[]
  /** Share of a batch of `fit` that is not spent in the kernels. */
  outside: number[]
}

/** One row: tf.layers accelerated, beside tf.layers as it is in the same rounds. */
interface LayersRow {
  network: string
  host: string
  kernels: string
  threads: number
  fit: number
  fitRatio: number
  outside: number
  predict: number
  predictRatio: number
}

/** `rowwise-bench layers`: `model.fit` and predictions of one sample, tf.layers as it is and accelerated, in turn. */
export async function layers(flags: LayersFlags): Promise<void> {
  const nodes = flags.node.length > 0 ? (await findNodes(flags.node)).slice(1) : await findNodes([])
  const chromium = flags.chromium ? await findChromium() : null
  const rows: LayersRow[] = []
  for (const network of NETWORKS) {
    for (const host of nodes) rows.push(...(await measure(network, host, false, flags)))
    if (chromium) rows.push(...(await measure(network, chromium, true, flags)))
  }
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ schema: 1, command: commandLine(), machine: describeMachine(), rows })}\n`)
    return
  }
  process.stdout.write(`${renderTable(HEADERS, rows.map(cellsOf))}\n`)
}

const HEADERS = [
  'network',
  'on',
  'kernels',
  'threads',
  'fit, ms a batch',
  'faster',
  'outside',
  'predict 1, ms',
  'faster',
]

function cellsOf({
  network,
  host,
  kernels,
  threads,
  fit,
  fitRatio,
  outside,
  predict,
  predictRatio,
}: LayersRow): string[] {
  const ratio = (value: number): string => `${value.toPrecision(3)} ×`
  return [
    ...[network, host, kernels, String(threads), fit.toPrecision(3), ratio(fitRatio)],
    ...[`${(100 * outside).toFixed(0)} %`, predict.toPrecision(3), ratio(predictRatio)],
  ]
}

async function measure(
  network: NetworkShape,
  host: Host,
  isChromium: boolean,
  { threads, rounds }: LayersFlags,
): Promise<LayersRow[]> {
  const kinds = isChromium ? ['relaxed-simd'] : ['native', 'relaxed-simd', 'simd']
  const wanted = kinds.flatMap((kernels) => threads.map((count) => ({ kernels, threads: count })))
  const plain = await start(network, host, isChromium, { threads: 1 })
  if (plain instanceof Error) throw new UsageError(`tf.layers does not run on ${host.name}: ${plain.message}`)
  const children: { child: RunningChild; kernels: string; threads: number; timed: Timed }[] = []
  for (const { kernels, threads: count } of wanted) {
    const hasBetter = kernels === 'simd' && children.some((each) => each.kernels === 'relaxed-simd')
    const child = hasBetter
      ? new Error('there is a better one')
      : await start(network, host, isChromium, { kernels, threads: count })
    if (!(child instanceof Error))
      children.push({ child, kernels, threads: count, timed: { fit: [], predict: [], outside: [] } })
  }
  const own: Timed = { fit: [], predict: [], outside: [] }
  for (let round = 0; round < rounds; round++) {
    await time(plain, own)
    for (const { child, timed } of children) await time(child, timed)
  }
  for (const child of [plain, ...children.map((each) => each.child)]) await child.end()
  const name = `[${BATCH}, ${network.time}, ${network.inputSize}], ${network.hiddenSize} units`
  return children.map(({ kernels, threads: count, timed }) => ({
    ...{ network: name, host: host.name, kernels, threads: count },
    fit: median(timed.fit),
    fitRatio: median(own.fit.map((value, round) => value / timed.fit[round])),
    outside: median(timed.outside),
    predict: median(timed.predict),
    predictRatio: median(own.predict.map((value, round) => value / timed.predict[round])),
  }))
}

async function start(
  network: NetworkShape,
  { path }: Host,
  isChromium: boolean,
  { kernels, threads }: { kernels?: string; threads: number },
): Promise<RunningChild | Error> {
  const task = { threads, backend: 'wasm', kernels, layers: { accelerated: kernels !== undefined, fit: true } }
  const command = isChromium ? [process.execPath, childProgram('chromium')] : [path, childProgram('tfjs-layers')]
  const startable: Startable = { name: 'tf.layers', command, task, get: 'npm install @tensorflow/tfjs-layers' }
  const child = await RunningChild.start(startable, { network, permuted: false })
  return child instanceof RunningChild ? child : new Error(child.error)
}

async function time(child: RunningChild, timed: Timed): Promise<void> {
  const train = await child.run({ workload: { kind: 'train', batch: BATCH }, seconds: SECONDS })
  const predict = await child.run({ workload: { kind: 'predict', batch: 1 }, seconds: SECONDS / 2 })
  for (const found of [train, predict]) if ('error' in found) throw new UsageError(found.error)
  timed.fit.push((train as StepTimes).median)
  timed.outside.push((train as StepTimes).outside ?? 1)
  timed.predict.push((predict as StepTimes).median)
}
