import { type Goal, goalsOf, verdictOf } from '../report/goals'
import type { Change } from '../report/ratios'
import { batchesOf, ratiosOf } from '../report/ratios'
import type { Report, Row } from '../report/report'

/** A table before it is drawn. */
export interface Table {
  title: string
  head: string[]
  rows: string[][]
  /** How many columns, from the left, are text. */
  left: number
}

export const KINDS = { train: 'training', predict: 'prediction' } as const

/** Milliseconds to three or four digits. */
export function ms(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '-'
  return value >= 1000 ? String(Math.round(value)) : value.toPrecision(value < 1 ? 3 : 4)
}

const percent = (share: number): string => `${Math.round(100 * share)} %`
const whole = (value: number | null): string =>
  value !== null && Number.isFinite(value) ? String(Math.round(value)) : '-'

/** Everything that a report has to say, as tables; those without rows are left out. */
export function tablesOf(report: Report): Table[] {
  return [
    ...stepTables(report.rows),
    subjectTable(report),
    ratioTable(report.rows),
    networkTable(report),
    growthTable(report),
    programTable(report),
    goalTable(report),
  ].filter(({ rows }) => rows.length > 0)
}

/** One table of steps for each kind of workload. */
export function stepTables(rows: readonly Row[]): Table[] {
  return (['train', 'predict'] as const).map((kind) => {
    const same = rows.filter((row) => row.kind === kind)
    return {
      title: `${KINDS[kind]}, a step in milliseconds`,
      head: [
        'batch',
        'subject',
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
      rows: batchesOf(same).flatMap((batch) => {
        const sorted = same.filter((row) => row.batch === batch).sort((a, b) => a.median - b.median)
        return sorted.map(stepCells)
      }),
      left: 2,
    }
  })
}

function stepCells(row: Row): string[] {
  return [
    String(row.batch),
    row.subject,
    ...[row.median, row.p75, row.p99, row.mad].map(ms),
    whole(row.samplesPerSecond),
    row.gflops.toFixed(1),
    percent(row.shareOfPeak),
    row.outside === undefined ? '-' : percent(row.outside),
    ms(row.firstStep),
    String(row.leaked),
  ]
}

export function subjectTable({ subjects }: Report): Table {
  return {
    title: 'what was measured',
    head: ['subject', 'versions', 'start-up ms', 'peak MiB'],
    rows: subjects.map((one) => [one.subject, one.description, whole(one.startUp), whole(one.peakMemory)]),
    left: 2,
  }
}

export function ratioTable(rows: readonly Row[]): Table {
  return {
    title: 'ours at its best against each peer at its best: medians of the ratios round by round',
    head: ['', 'batch', 'ours', 'ms', 'the peer', 'ms', 'times as fast'],
    rows: ratiosOf(rows).map(({ kind, batch, ours, peer, ratio }) => [
      KINDS[kind],
      String(batch),
      ours.subject,
      ms(ours.median),
      peer.subject,
      ms(peer.median),
      `${shortest(ratio)} ×`,
    ]),
    left: 3,
  }
}

/** Steps of other networks. */
export function networkTable({ networks }: Report): Table {
  return {
    title: 'steps of other networks, in milliseconds',
    head: ['network', 'subject', 'median', 'MAD', 'GFLOP/s', 'of peak', 'outside'],
    rows: networks.flatMap(({ name, rows }) =>
      [...rows]
        .sort((a, b) => a.median - b.median)
        .map((row) => [
          `${KINDS[row.kind]} ${name}`,
          row.subject,
          ...[row.median, row.mad].map(ms),
          row.gflops.toFixed(1),
          percent(row.shareOfPeak),
          row.outside === undefined ? '-' : percent(row.outside),
        ]),
    ),
    left: 2,
  }
}

export function growthTable({ growth }: Report): Table {
  return {
    title: 'how a training step grows: time ~ size to the power of the exponent',
    head: ['of', 'subject', 'sizes and ms', 'exponent'],
    rows: growth.map(({ of, subject, points, exponent }) => [
      of,
      subject,
      points.map(({ size, ms: time }) => `${size}: ${ms(time)}`).join(', '),
      exponent.toFixed(2),
    ]),
    left: 3,
  }
}

export function programTable({ programs }: Report): Table {
  return {
    title: 'the whole reference program, from its start to its end',
    head: ['program', 'on', 'epochs', 'seconds', 'peak MiB'],
    rows: programs.map(({ program, runtime, epochs, seconds, peakMemory }) => [
      program,
      runtime || '-',
      String(epochs),
      seconds.toFixed(1),
      whole(peakMemory),
    ]),
    left: 2,
  }
}

/** What Rowwise holds itself to, as far as this run has the figures. */
export function goalTable(report: Report): Table {
  return {
    title: 'goals',
    head: ['measure', 'on', 'found', 'at least', 'aim', 'result'],
    rows: goalsOf(report).map((goal) => [
      goal.measure,
      goal.on,
      foundIn(goal),
      limitIn(goal, goal.atLeast),
      limitIn(goal, goal.aim),
      goal.verdict ?? '-',
    ]),
    left: 2,
  }
}

/** A figure to three digits, or as many as it takes to show on which side of its limits it is. */
export function foundIn({ found, atLeast, aim, isLessBetter, unit }: Goal): string {
  const verdict = (value: number) => verdictOf(value, { atLeast, aim }, isLessBetter)
  const digits = [3, 4, 5, 6, 7].find((count) => verdict(Number(found.toPrecision(count))) === verdict(found)) ?? 17
  return `${Number(found.toPrecision(digits))} ${unit}`
}

/** A limit, with its direction where less is better. */
export function limitIn({ isLessBetter, unit }: Goal, limit: number | undefined): string {
  return limit === undefined ? '-' : `${isLessBetter ? 'at most ' : ''}${limit} ${unit}`
}

const shortest = (value: number): string => String(Number(value.toPrecision(3)))

/** What changed since an older report. */
export function changesTable(changes: readonly Change[]): Table {
  return {
    title: 'compared with the older report: new time over old',
    head: ['', 'batch', 'subject', 'ratio', 'noise', 'verdict'],
    rows: changes.map(({ kind, batch, subject, ratio, band, verdict }) => [
      KINDS[kind],
      String(batch),
      subject,
      ratio.toFixed(3),
      `±${percent(band)}`,
      verdict,
    ]),
    left: 3,
  }
}

/** The machine and the network, in one line. */
export function machineLine({ machine, network, peakGflops }: Report): string {
  const { time, inputSize, hiddenSize, numLayers } = network
  return (
    `${machine.cpu} × ${machine.cores}, ${machine.memoryGiB} GiB, ${machine.os}, Node ${machine.node}; ` +
    `LSTM of ${numLayers} × ${hiddenSize} over ${time} steps of ${inputSize}; peak ${peakGflops.toFixed(1)} GFLOP/s a core`
  )
}

/** How quiet the machine was, in one line. */
export function quietLine({ quiet: { patience, waited, runs, disturbed } }: Report): string {
  if (patience === 0) return `${runs} runs; the machine was not watched (--patience 0)`
  return `${runs} runs; waited ${Math.round(waited)} s for a quiet machine; ${disturbed} runs began on a busy one`
}
