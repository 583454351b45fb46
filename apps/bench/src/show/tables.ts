import { goalsOf, isMet } from '../run/goals'
import type { Change } from '../run/ratios'
import { ratiosOf } from '../run/ratios'
import type { Report, Row } from '../run/report'

/** A table before it is drawn. */
export interface Table {
  title: string
  head: string[]
  rows: string[][]
  /** Columns of text. */
  left: number
}

const NAMES = { train: 'training', predict: 'prediction' } as const
const ms = (value: number): string => (Number.isFinite(value) ? `${value.toPrecision(value < 1 ? 3 : 4)}` : '-')
const percent = (share: number): string => `${Math.round(100 * share)} %`
const whole = (value: number): string => (Number.isFinite(value) ? String(Math.round(value)) : '-')

/** Everything that a report has to say, as tables. */
export function tablesOf(report: Report): Table[] {
  return [
    results(report.rows),
    participants(report),
    ratios(report.rows),
    growth(report),
    programs(report),
    goals(report),
  ].filter(({ rows }) => rows.length > 0)
}

function results(rows: readonly Row[]): Table {
  const sorted = [...rows].sort((a, b) => b.kind.localeCompare(a.kind) || a.batch - b.batch || a.median - b.median)
  return {
    title: 'a step, in milliseconds',
    head: [
      '',
      'batch',
      'who',
      'median',
      'p75',
      'p99',
      'MAD',
      'samples/s',
      'GFLOP/s',
      'of peak',
      'outside',
      'first',
      'leaked',
    ],
    rows: sorted.map((row) => [
      NAMES[row.kind],
      String(row.batch),
      row.contestant,
      ...[row.median, row.p75, row.p99, row.mad].map(ms),
      whole(row.samplesPerSecond),
      row.gflops.toFixed(1),
      percent(row.shareOfPeak),
      row.outside === undefined ? '-' : percent(row.outside),
      ms(row.firstStep),
      String(row.leaked),
    ]),
    left: 3,
  }
}

function participants({ participants }: Report): Table {
  return {
    title: 'who took part',
    head: ['who', 'what', 'start-up ms', 'peak MiB'],
    rows: participants.map((one) => [one.contestant, one.description, whole(one.startUp), whole(one.peakMemory)]),
    left: 2,
  }
}

function ratios(rows: readonly Row[]): Table {
  return {
    title: 'ours at its best against each peer at its best: medians of the ratios round by round',
    head: ['', 'batch', 'Rowwise', 'ms', 'the peer', 'ms', 'times as fast'],
    rows: ratiosOf(rows).map(({ kind, batch, ours, peer, ratio }) => [
      NAMES[kind],
      String(batch),
      ours.contestant,
      ms(ours.median),
      peer.contestant,
      ms(peer.median),
      `${ratio.toPrecision(3)} ×`,
    ]),
    left: 3,
  }
}

function growth({ growth }: Report): Table {
  return {
    title: 'how a training step grows: time ~ size to the power of the exponent',
    head: ['of', 'who', 'sizes and ms', 'exponent'],
    rows: growth.map(({ of, contestant, points, exponent }) => [
      of,
      contestant,
      points.map(({ size, ms: time }) => `${size}: ${ms(time)}`).join(', '),
      exponent.toFixed(2),
    ]),
    left: 3,
  }
}

function programs({ programs }: Report): Table {
  return {
    title: 'the whole reference program, from its start to its end',
    head: ['who', 'epochs', 'seconds', 'peak MiB'],
    rows: programs.map(({ contestant, epochs, seconds, peakMemory }) => [
      contestant,
      String(epochs),
      seconds.toFixed(1),
      whole(peakMemory),
    ]),
    left: 1,
  }
}

/** What Rowwise holds itself to, as far as this run shows it; of the reference network only. */
function goals(report: Report): Table {
  const { hiddenSize, numLayers, time } = report.network
  const isReference = hiddenSize === 64 && numLayers === 1 && time === 28
  return {
    title: 'goals',
    head: ['measure', 'found', 'at least', 'aim', 'met'],
    rows: (isReference ? goalsOf(report) : []).map((goal) => {
      const show = (value: number): string => `${Number(value.toPrecision(3))} ${goal.unit}`
      const limit = (value?: number): string =>
        value === undefined ? '-' : `${goal.isLessBetter ? 'at most ' : ''}${show(value)}`
      const met = isMet(goal)
      const verdict = met === undefined ? '-' : met ? 'yes' : 'no'
      return [goal.measure, show(goal.found), limit(goal.atLeast), limit(goal.aim), verdict]
    }),
    left: 1,
  }
}

/** What changed since an older report. */
export function changesTable(changes: readonly Change[]): Table {
  return {
    title: 'compared with the older report: new time over old',
    head: ['', 'batch', 'who', 'ratio', 'noise', 'verdict'],
    rows: changes.map(({ kind, batch, contestant, ratio, band, verdict }) => [
      NAMES[kind],
      String(batch),
      contestant,
      ratio.toFixed(3),
      `±${percent(band)}`,
      verdict,
    ]),
    left: 3,
  }
}

/** Where it was measured, in one line. */
export function machineLine({ machine, network, peakGflops }: Report): string {
  const { time, inputSize, hiddenSize, numLayers } = network
  return (
    `${machine.cpu} × ${machine.cores}, ${machine.memoryGiB} GiB, ${machine.platform}, Node ${machine.node}; ` +
    `LSTM of ${numLayers} × ${hiddenSize} over ${time} steps of ${inputSize}; WebAssembly peak ${peakGflops.toFixed(1)} GFLOP/s a core`
  )
}

/** How quiet the machine was, in one line. */
export function quietLine({ quiet: { patience, waited, turns, disturbed } }: Report): string {
  if (patience === 0) return `${turns} turns; nobody looked whether something else used the machine (--patience 0)`
  return (
    `${turns} turns; ${Math.round(waited)} s were waited while something else used the machine, ` +
    `${disturbed} turns were taken all the same`
  )
}
