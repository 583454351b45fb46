import { median, noiseOf } from '../measure/statistics'
import type { Report, Row } from './report'

/** Ours against the best of a peer in the same workload. */
export interface Ratio {
  kind: Row['kind']
  batch: number
  ours: Row
  peer: Row
  /** How many times as fast: the median of the rounds' ratios, in which the drifts of a shared machine cancel. */
  ratio: number
}

/** The batch sizes of some rows, ascending. */
export function batchesOf(rows: readonly Pick<Row, 'batch'>[]): number[] {
  return [...new Set(rows.map(({ batch }) => batch))].sort((a, b) => a - b)
}

/** Our fastest row against the fastest row of each peer, where both did the same. */
export function ratiosOf(rows: readonly Row[]): Ratio[] {
  const ratios: Ratio[] = []
  for (const kind of ['train', 'predict'] as const) {
    for (const batch of batchesOf(rows.filter((row) => row.kind === kind))) {
      const same = rows.filter((row) => row.kind === kind && row.batch === batch).sort((a, b) => a.median - b.median)
      const ours = same.find(({ isOurs }) => isOurs)
      if (!ours) continue
      const peers = new Map<string, Row>()
      for (const row of same) if (!row.isOurs && !peers.has(row.library)) peers.set(row.library, row)
      for (const peer of peers.values()) ratios.push({ kind, batch, ours, peer, ratio: roundRatio(peer, ours) })
    }
  }
  return ratios
}

/** The median over the rounds of one row's time over another's. */
export function roundRatio(numerator: Pick<Row, 'rounds'>, denominator: Pick<Row, 'rounds'>): number {
  const count = Math.min(numerator.rounds.length, denominator.rounds.length)
  return median(Array.from({ length: count }, (_, round) => numerator.rounds[round] / denominator.rounds[round]))
}

/** A row against the same row of an older report. */
export interface Change {
  subject: string
  kind: Row['kind']
  batch: number
  /** New time over old. */
  ratio: number
  /** How far from 1 chance alone takes it, from the noise of both runs. */
  band: number
  verdict: 'slower' | 'faster' | 'same'
}

/** No run is better than this, however quiet the machine seems. */
const LEAST_BAND = 0.03

/** Compares the rows that both reports have. */
export function changesSince(old: Pick<Report, 'rows'>, rows: readonly Row[]): Change[] {
  return rows.flatMap((row) => {
    const { subject, kind, batch } = row
    const before = old.rows.find(
      (candidate) => candidate.subject === subject && candidate.kind === kind && candidate.batch === batch,
    )
    if (!before) return []
    const ratio = row.median / before.median
    const noise = Math.hypot(noiseOf(row.rounds), noiseOf(before.rounds))
    const band = Math.max(LEAST_BAND, 3 * (Number.isFinite(noise) ? noise : 0))
    const verdict = ratio > 1 + band ? 'slower' : ratio < 1 / (1 + band) ? 'faster' : 'same'
    return [{ subject, kind, batch, ratio, band, verdict }]
  })
}
