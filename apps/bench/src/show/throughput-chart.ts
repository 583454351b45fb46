import { batchesOf } from '../report/ratios'
import type { Row } from '../report/report'
import { KINDS } from './tables'

/** More bars than this are not read. */
const MOST_BARS = 7
/** Bars of ours, when there are more subjects than bars. */
const MOST_OURS = 3
const PREFERRED_BATCH = 64

/** One workload's bars, the fastest first, and the subjects for which there was no space. */
export interface Panel {
  kind: Row['kind']
  batch: number
  bars: Row[]
  leftOut: string[]
}

/** Training and prediction at batch 64, or the largest batch that was measured. */
export function panelsOf(rows: readonly Row[]): Panel[] {
  const batches = batchesOf(rows)
  const batch = batches.includes(PREFERRED_BATCH) ? PREFERRED_BATCH : batches.at(-1)
  return (['train', 'predict'] as const)
    .map((kind) =>
      panelOf(
        kind,
        rows.filter((row) => row.kind === kind && row.batch === batch),
      ),
    )
    .filter((panel) => panel !== null)
}

/**
 * The fastest row of each library and runtime: of ours the best few, then peers by throughput. The other rows of a
 * library, with another number of threads, are in the tables only.
 */
function panelOf(kind: Row['kind'], rows: readonly Row[]): Panel | null {
  if (rows.length === 0) return null
  const best = new Map<string, Row>()
  for (const row of [...rows].sort((a, b) => b.samplesPerSecond - a.samplesPerSecond)) {
    const key = `${row.library}, ${row.runtime}`
    if (!best.has(key)) best.set(key, row)
  }
  const all = [...best.values()]
  const peers = all.filter(({ isOurs }) => !isOurs)
  const ours = all.filter(({ isOurs }) => isOurs).slice(0, Math.max(MOST_OURS, MOST_BARS - peers.length))
  const chosen = new Set([...ours, ...peers].slice(0, MOST_BARS))
  return {
    kind,
    batch: rows[0].batch,
    bars: all.filter((row) => chosen.has(row)),
    leftOut: all.filter((row) => !chosen.has(row)).map(({ subject }) => subject),
  }
}

/** What the chart shows and what it leaves out, for the line below it. */
export function captionOf(panels: readonly Panel[]): string {
  const left = panels
    .filter(({ leftOut }) => leftOut.length > 0)
    .map(({ kind, leftOut }) => `in ${KINDS[kind]} ${leftOut.join(' and ')}`)
  return (
    'Samples per second; longer is faster. Rowwise is blue, its peers are grey; each stands with its fastest number of threads. ' +
    (left.length > 0 ? `Not drawn: ${left.join('; ')}. ` : '') +
    'The tables below have every subject, thread count and batch size.'
  )
}

/** The two panels as a specification for Vega-Lite: linear axes from zero, whole labels, values at the bars. */
export function throughputSpec(panels: readonly Panel[]): object {
  const longest = Math.max(...panels.flatMap(({ bars }) => bars.map(({ subject }) => subject.length)))
  return {
    vconcat: panels.map((panel) => barsSpec(panel, LABEL_PIXELS_PER_LETTER * longest)),
    spacing: 24,
  }
}

/** About the width of a letter at the labels' size: both panels' bars begin at the same place. */
const LABEL_PIXELS_PER_LETTER = 6.4

/** Space for the value at the longest bar. */
const HEADROOM = 1.12

function barsSpec({ kind, batch, bars }: Panel, labelWidth: number): object {
  const values = bars.map(({ subject, samplesPerSecond, isOurs }) => ({ subject, samplesPerSecond, isOurs }))
  return {
    title: { text: `${KINDS[kind]}, batch ${batch}`.replace(/^./, (letter) => letter.toUpperCase()), anchor: 'start' },
    width: 460,
    height: { step: 26 },
    data: { values },
    encoding: {
      y: {
        field: 'subject',
        title: null,
        sort: null,
        axis: { minExtent: labelWidth, labelPadding: 8, ticks: false, domain: false },
      },
      x: {
        field: 'samplesPerSecond',
        type: 'quantitative',
        title: 'samples per second',
        scale: { domain: [0, HEADROOM * Math.max(...bars.map((row) => row.samplesPerSecond))], nice: false },
        axis: { tickCount: 5, format: ',d' },
      },
    },
    layer: [
      {
        mark: { type: 'bar', height: { band: 0.72 } },
        encoding: { color: { field: 'isOurs', scale: { domain: [true, false], range: [OURS, PEERS] }, legend: null } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 5, color: 'currentColor' },
        encoding: { text: { field: 'samplesPerSecond', format: ',.0f' } },
      },
    ],
  }
}

/** Both are told from white and from black. */
export const OURS = '#3b82f6'
export const PEERS = '#9aa1ab'
