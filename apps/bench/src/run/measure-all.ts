import type { Contestant } from '../contestants/contestants'
import { RunningChild } from '../contestants/running-child'
import { flopsOf, labelOf, type NetworkShape, type Slice, type Workload } from '../workload'
import type { Quietness } from './quietness'
import type { Absent, Participant, Row } from './report'
import { median, noiseOf } from './statistics'

/** What is measured, and for how long. */
export interface Plan {
  network: NetworkShape
  permuted: boolean
  workloads: readonly Workload[]
  /** Seconds of measuring after the first round. */
  seconds: number
  peakGflops: number
  /** Every turn waits for it; that time is no measuring time. */
  quietness: Pick<Quietness, 'beforeTurn' | 'wait' | 'report'>
  /** Ends it after the turn under way; what was measured until then is kept. */
  signal: AbortSignal
  onProgress(text: string): void
}

/** What came out of it. */
export interface Outcome {
  rows: Row[]
  participants: Participant[]
  absent: Absent[]
}

/** A workload of a contestant. */
interface Cell {
  workload: Workload
  slices: Slice[]
  isOver: boolean
}

interface Player {
  child: RunningChild
  cells: Cell[]
}

const ENOUGH_ROUNDS = 5
/** A median whose error is below this share is stable. */
const STABLE = 0.005
/** A step that takes longer says at a smaller batch all that one wants to know. */
const LONGEST_STEP_MILLISECONDS = 2000

/** Measures everyone, a turn each, round after round, until the medians are stable or the time is over. */
export async function measureAll(contestants: readonly Contestant[], plan: Plan): Promise<Outcome> {
  const { network, permuted, workloads, seconds, quietness, signal, onProgress } = plan
  const absent: Absent[] = []
  const players: Player[] = []
  for (const contestant of contestants) {
    if (signal.aborted) break
    onProgress(`starting ${contestant.name}`)
    const child = await RunningChild.start(contestant, { network, permuted })
    if ('error' in child) absent.push({ contestant: contestant.name, reason: child.error })
    else {
      const own = workloads.filter(({ kind }) => contestant.kinds.includes(kind))
      players.push({ child, cells: own.map((workload) => ({ workload, slices: [], isOver: false })) })
    }
  }
  const cells = players.reduce((sum, player) => sum + player.cells.length, 0)
  const turnSeconds = Math.min(1, Math.max(0.02, seconds / cells / ENOUGH_ROUNDS))
  // The first round, in which everything warms up, goes to its end; the clock counts from there.
  let began = performance.now()
  let waitedBefore = 0
  const secondsLeft = (): number =>
    seconds - (performance.now() - began) / 1000 + quietness.report.waited - waitedBefore
  for (let round = 1; !signal.aborted; round++) {
    const unstable = players.flatMap((player) => player.cells.filter((cell) => !isSettled(cell)))
    if (round <= 2) {
      began = performance.now()
      waitedBefore = quietness.report.waited
    }
    if (unstable.length === 0 || (round > 1 && secondsLeft() <= 0)) break
    for (const player of players) {
      for (const cell of player.cells) {
        if (signal.aborted || (round > 1 && secondsLeft() <= 0)) break
        if (isSettled(cell)) continue
        const left = Math.max(0, Math.round(secondsLeft()))
        const where = `round ${round}, ${left} s left`
        await quietness.beforeTurn(() => onProgress(`${where}: waiting until nothing else uses the machine`))
        if (signal.aborted) break
        onProgress(`${where}: ${player.child.contestant.name}, ${labelOf(cell.workload)}`)
        await takeTurn(player, cell, turnSeconds, absent)
      }
    }
  }
  const participants: Participant[] = []
  for (const { child } of players) {
    const farewell = await child.end()
    const { name, task } = child.contestant
    const peakMemory = 'error' in farewell ? Number.NaN : farewell.peakMemory
    const { description, startUp } = child
    participants.push({ contestant: name, description, threads: task.threads, startUp, peakMemory })
    child.kill()
  }
  return { rows: players.flatMap((player) => rowsOf(player, plan)), participants, absent }
}

async function takeTurn({ child, cells }: Player, cell: Cell, seconds: number, absent: Absent[]): Promise<void> {
  const { workload } = cell
  const contestant = `${child.contestant.name}, ${labelOf(workload)}`
  const expected = cell.slices.length === 0 ? expectedStep(cells, workload) : 0
  if (expected > LONGEST_STEP_MILLISECONDS) {
    cell.isOver = true
    absent.push({ contestant, reason: `left out: a step would take about ${(expected / 1000).toFixed(1)} s` })
    return
  }
  const slice = await child.turn({ workload, seconds })
  if ('error' in slice) {
    cell.isOver = true
    absent.push({ contestant, reason: slice.error })
  } else cell.slices.push(slice)
}

/** What a step at this batch will take, judging by the next smaller one. */
function expectedStep(cells: readonly Cell[], { kind, batch }: Workload): number {
  const smaller = cells.filter(
    (cell) => cell.workload.kind === kind && cell.workload.batch < batch && cell.slices.length > 0,
  )
  const nearest = smaller.at(-1)
  // Small batches are cheaper by the sample in no library, dearer in most.
  return nearest && nearest.workload.batch >= 64 ? (nearest.slices[0].median * batch) / nearest.workload.batch : 0
}

function isSettled({ slices, isOver }: Cell): boolean {
  return isOver || (slices.length >= ENOUGH_ROUNDS && noiseOf(slices.map((slice) => slice.median)) < STABLE)
}

function rowsOf({ child, cells }: Player, { peakGflops, network }: Plan): Row[] {
  const { name, isOurs, task, network: own = network } = child.contestant
  return cells
    .filter(({ slices }) => slices.length > 0)
    .map(({ workload, slices }) => {
      const of = (field: 'median' | 'p75' | 'p99' | 'mad'): number => median(slices.map((slice) => slice[field]))
      const gflops = flopsOf(workload, own) / of('median') / 1e6
      return {
        contestant: name,
        isOurs,
        ...workload,
        ...{ median: of('median'), p75: of('p75'), p99: of('p99'), mad: of('mad') },
        samplesPerSecond: (1000 * workload.batch) / of('median'),
        gflops,
        shareOfPeak: gflops / peakGflops / task.threads,
        steps: slices.reduce((sum, slice) => sum + slice.steps, 0),
        firstStep: slices[0].first ?? Number.NaN,
        ...(slices[0].outside !== undefined && { outside: median(slices.map(({ outside = Number.NaN }) => outside)) }),
        leaked: slices.reduce((sum, slice) => sum + slice.leaked, 0),
        rounds: slices.map((slice) => slice.median),
        sample: slices.flatMap((slice) => slice.sample).slice(0, 500),
      }
    })
}
