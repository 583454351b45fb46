import type { Absent, Row, SubjectInfo } from '../report/report'
import { RunningChild } from '../subjects/running-child'
import type { Subject } from '../subjects/subjects'
import { flopsOf, labelOf, type NetworkShape, type StepTimes, type Workload } from '../workload'
import type { Quietness } from './quietness'
import { median, noiseOf } from './statistics'

/** What is measured, and for how long. */
export interface Plan {
  network: NetworkShape
  permuted: boolean
  workloads: readonly Workload[]
  /** Seconds of measuring after the first round. */
  seconds: number
  peakGflops: number
  /** Every run waits for a quiet machine; waiting is not measuring time. */
  quietness: Pick<Quietness, 'beforeRun' | 'wait' | 'report'>
  /** Ends the measurement after the run under way; the rows so far are kept. */
  signal: AbortSignal
  onProgress(text: string): void
}

/** What was found. */
export interface Outcome {
  rows: Row[]
  subjects: SubjectInfo[]
  absent: Absent[]
}

/** A workload of a subject, with its runs so far. */
interface Cell {
  workload: Workload
  runs: StepTimes[]
  /** No more runs: it failed, or its steps are too long. */
  isOver: boolean
}

/** A subject whose process is ready. */
interface Running {
  subject: Subject
  child: RunningChild
  cells: Cell[]
}

const ENOUGH_ROUNDS = 7
/** A median whose error is below this share is stable. */
const STABLE = 0.005
/** Longer steps are left out: a smaller batch says enough. */
const LONGEST_STEP_MILLISECONDS = 2000

/** Times each subject at each workload once a round, until the medians are stable or the time is over. */
export async function measureAll(subjects: readonly Subject[], plan: Plan): Promise<Outcome> {
  const { running, absent } = await startAll(subjects, plan)
  await runRounds(running, absent, plan)
  const ended: SubjectInfo[] = []
  for (const { subject, child } of running) {
    const last = await child.end()
    const peakMemory = 'error' in last ? null : last.peakMemory
    const { description, startUp } = child
    ended.push({ subject: subject.name, description, threads: subject.task.threads, startUp, peakMemory })
    child.kill()
  }
  return { rows: running.flatMap((one) => rowsOf(one, plan)), subjects: ended, absent }
}

async function startAll(
  subjects: readonly Subject[],
  { network, permuted, workloads, signal, onProgress }: Plan,
): Promise<{ running: Running[]; absent: Absent[] }> {
  const absent: Absent[] = []
  const running: Running[] = []
  for (const subject of subjects) {
    if (signal.aborted) break
    onProgress(`starting ${subject.name}`)
    const child = await RunningChild.start(subject, { network, permuted })
    if ('error' in child) absent.push({ subject: subject.name, reason: child.error })
    else {
      const own = workloads.filter(({ kind }) => subject.kinds.includes(kind))
      running.push({ subject, child, cells: own.map((workload) => ({ workload, runs: [], isOver: false })) })
    }
  }
  return { running, absent }
}

async function runRounds(running: readonly Running[], absent: Absent[], plan: Plan): Promise<void> {
  const { workloads, seconds, quietness, signal, onProgress } = plan
  const cells = running.reduce((sum, one) => sum + one.cells.length, 0)
  const runSeconds = Math.min(1, Math.max(0.02, seconds / cells / ENOUGH_ROUNDS))
  // The first round, in which everything warms up, goes to its end; the clock counts from there.
  let began = performance.now()
  let waitedBefore = 0
  const secondsLeft = (): number =>
    seconds - (performance.now() - began) / 1000 + quietness.report.waited - waitedBefore
  for (let round = 1; !signal.aborted; round++) {
    if (round <= 2) {
      began = performance.now()
      waitedBefore = quietness.report.waited
    }
    const isOver = (): boolean => signal.aborted || (round > 1 && secondsLeft() <= 0)
    if (running.every((one) => one.cells.every(isSettled)) || isOver()) break
    // One workload after the other: a machine that is shared was about the same for what a ratio compares.
    for (const workload of workloads) {
      for (const one of running) {
        const cell = one.cells.find((cell) => cell.workload === workload)
        if (!cell || isSettled(cell)) continue
        if (isOver()) break
        const where = `round ${round}, ${Math.max(0, Math.round(secondsLeft()))} s left`
        await quietness.beforeRun(() => onProgress(`${where}: waiting until nothing else uses the machine`))
        if (signal.aborted) break
        onProgress(`${where}: ${one.subject.name}, ${labelOf(cell.workload)}`)
        await runOnce(one, cell, runSeconds, absent)
      }
    }
  }
}

async function runOnce(
  { subject, child, cells }: Running,
  cell: Cell,
  seconds: number,
  absent: Absent[],
): Promise<void> {
  const { workload } = cell
  const name = `${subject.name}, ${labelOf(workload)}`
  const expected = cell.runs.length === 0 ? expectedStep(cells, workload) : 0
  if (expected > LONGEST_STEP_MILLISECONDS) {
    cell.isOver = true
    absent.push({ subject: name, reason: `left out: a step would take about ${(expected / 1000).toFixed(1)} s` })
    return
  }
  const times = await child.run({ workload, seconds })
  if ('error' in times) {
    cell.isOver = true
    absent.push({ subject: name, reason: times.error })
  } else cell.runs.push(times)
}

/** How long a step at this batch will take, from the next smaller one. */
function expectedStep(cells: readonly Cell[], { kind, batch }: Workload): number {
  const smaller = cells.filter(
    (cell) => cell.workload.kind === kind && cell.workload.batch < batch && cell.runs.length > 0,
  )
  const nearest = smaller.at(-1)
  // No library is cheaper by the sample at small batches; most are dearer.
  return nearest && nearest.workload.batch >= 64 ? (nearest.runs[0].median * batch) / nearest.workload.batch : 0
}

function isSettled({ runs, isOver }: Cell): boolean {
  return isOver || (runs.length >= ENOUGH_ROUNDS && noiseOf(runs.map((run) => run.median)) < STABLE)
}

function rowsOf({ subject, cells }: Running, { peakGflops, network }: Plan): Row[] {
  const { name, library, runtime, isOurs, task, network: own = network } = subject
  return cells
    .filter(({ runs }) => runs.length > 0)
    .map(({ workload, runs }) => {
      const of = (field: 'median' | 'p75' | 'p99' | 'mad'): number => median(runs.map((run) => run[field]))
      const gflops = flopsOf(workload, own) / of('median') / 1e6
      return {
        ...{ subject: name, library, runtime, threads: task.threads, isOurs },
        ...workload,
        ...{ median: of('median'), p75: of('p75'), p99: of('p99'), mad: of('mad') },
        samplesPerSecond: (1000 * workload.batch) / of('median'),
        gflops,
        shareOfPeak: gflops / peakGflops / task.threads,
        steps: runs.reduce((sum, run) => sum + run.steps, 0),
        firstStep: runs[0].first ?? null,
        ...shareOf('outside', runs),
        ...shareOf('loader', runs),
        leaked: runs.reduce((sum, run) => sum + run.leaked, 0),
        rounds: runs.map((run) => run.median),
        sample: runs.flatMap((run) => run.sample).slice(0, 500),
      }
    })
}

/** The median of a share over the runs, where they have it. */
function shareOf(name: 'outside' | 'loader', runs: readonly StepTimes[]): Pick<Row, 'outside' | 'loader'> {
  return runs[0][name] === undefined ? {} : { [name]: median(runs.map((run) => run[name] ?? Number.NaN)) }
}
