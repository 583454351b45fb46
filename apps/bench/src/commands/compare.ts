import { FAILURE, SLOWER, UsageError } from '../exit'
import { measureCurves } from '../measure/curves'
import { measureGrowth } from '../measure/growth'
import { commandLine, describeMachine, measurePeak } from '../measure/machine'
import { measureAll, type Plan } from '../measure/measure-all'
import { measureNetworks } from '../measure/networks'
import { measurePrograms } from '../measure/programs'
import { Quietness } from '../measure/quietness'
import { type OutputFlags, prepareOutputs } from '../output/output-files'
import { stopOnSignal } from '../output/stop-on-signal'
import { writeOutputs } from '../output/write-outputs'
import { type Report, readReport, SCHEMA } from '../report/report'
import { ProgressLine } from '../show/progress-line'
import { type Selection, type SubjectFlags, selectSubjects } from '../subjects/select-subjects'
import { type NetworkShape, REFERENCE_NETWORK, type Workload } from '../workload'

/** The flags of `rowwise-bench`. */
export interface CompareFlags extends SubjectFlags, OutputFlags {
  batch: number[]
  hiddenSize: number
  numLayers: number
  sequence: 'rows' | 'pixels' | 'permuted'
  grow: string[]
  seconds?: number
  patience?: number
  json?: boolean
  compare?: string
}

/** Measuring time when none is given: enough for stable medians of ours, or of ours and the peers. */
const DEFAULT_SECONDS = { own: 40, peers: 170 }

/** `rowwise-bench`: times all subjects in turn, and writes what the flags ask for. */
export async function compare(flags: CompareFlags): Promise<void> {
  const network = networkOf(flags)
  const old = flags.compare === undefined ? null : await readOld(flags.compare, network)
  const selection = await selectSubjects(flags)
  if (old) refuseStrangers(old, selection, flags.compare ?? '')
  const files = prepareOutputs(flags)
  const stop = stopOnSignal()
  const { signal } = stop
  const progress = new ProgressLine()
  const onProgress = (text: string): void => progress.show(text)
  const { seconds = flags.peers ? DEFAULT_SECONDS.peers : DEFAULT_SECONDS.own } = flags
  onProgress('looking how quiet the machine is')
  const { patience = seconds } = flags
  const quietness = await Quietness.watch(Math.max(...flags.threads), patience, signal)
  try {
    const report = await measure(flags, selection, { network, seconds, quietness, signal, onProgress })
    progress.clear()
    const changes = await writeOutputs(files, report, { json: flags.json, old })
    if (changes.some(({ verdict }) => verdict === 'slower')) process.exitCode = SLOWER
    if (report.rows.length === 0) process.exitCode = FAILURE
  } finally {
    quietness.end()
  }
  if (signal.aborted) process.exitCode = stop.exitCode()
}

/** Everything that the flags ask for, one after the other. */
async function measure(
  flags: CompareFlags,
  { subjects, absent, nodes, pytorches }: Selection,
  how: Omit<Plan, 'workloads' | 'permuted' | 'peakGflops'>,
): Promise<Report> {
  const { network, quietness, seconds, signal, onProgress } = how
  const date = new Date().toISOString()
  const quiet = (): Promise<unknown> => quietness.wait(() => onProgress('waiting until nothing else uses the machine'))
  const peakGflops = await measurePeak(quiet)
  const plan = { ...how, permuted: flags.sequence === 'permuted', peakGflops }
  const workloads = (['train', 'predict'] as const).flatMap((kind) =>
    flags.batch.map((batch): Workload => ({ kind, batch })),
  )
  const outcome = await measureAll(subjects, { ...plan, workloads })
  const growth = await measureGrowth(sizesOf(flags), subjects, plan)
  const networks = isReference(network) ? await measureNetworks(subjects, plan) : []
  const { program: epochs } = flags
  const threads = Math.max(...flags.threads)
  const whole = await measurePrograms({ nodes, pytorches, epochs, threads, signal, quiet, onProgress })
  return {
    schema: SCHEMA,
    date,
    command: commandLine(),
    machine: describeMachine(),
    ...{ network, seconds, peakGflops },
    ...outcome,
    absent: [...absent, ...outcome.absent, ...whole.absent],
    growth,
    networks,
    programs: whole.programs,
    curves: flags.html === undefined ? [] : await measureCurves(subjects, signal, onProgress),
    quiet: quietness.report,
    isInterrupted: signal.aborted,
  }
}

/** Other networks stand beside the reference network only. */
function isReference(network: NetworkShape): boolean {
  const names = ['time', 'hiddenSize', 'numLayers'] as const
  return names.every((name) => network[name] === REFERENCE_NETWORK[name])
}

/** What grows: what `--grow` says, or everything where a page is written. */
function sizesOf({ grow, html, docs }: CompareFlags): string[] {
  if (grow.length > 0) return grow
  return html !== undefined || docs !== undefined ? ['T', 'N', 'H', 'layers'] : []
}

function networkOf({ hiddenSize, numLayers, sequence }: CompareFlags): NetworkShape {
  const steps = sequence === 'rows' ? {} : { time: 784, inputSize: 1 }
  return { ...REFERENCE_NETWORK, hiddenSize, numLayers, ...steps }
}

async function readOld(path: string, network: NetworkShape): Promise<Report> {
  const old = await readReport(path, '--compare')
  const describe = ({ time, inputSize, hiddenSize, numLayers }: NetworkShape): string =>
    `${numLayers} × ${hiddenSize} over ${time} steps of ${inputSize}`
  if (describe(old.network) !== describe(network)) {
    throw new UsageError(
      `--compare '${path}' measured an LSTM of ${describe(old.network)}, this run would measure ${describe(network)}; ` +
        'pass the same --hidden-size, --num-layers and --sequence',
    )
  }
  return old
}

/** An older report whose rows this run cannot have would compare nothing. */
function refuseStrangers(old: Report, { subjects }: Selection, path: string): void {
  const names = new Set(old.rows.map(({ subject }) => subject))
  if (subjects.some(({ name }) => names.has(name))) return
  throw new UsageError(
    `--compare '${path}' has none of this run's subjects (it has ${[...names].join('; ') || 'no rows'}); make a new one with --save FILE`,
  )
}
