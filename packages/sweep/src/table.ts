import { isRecord, type Outcome } from './engine'
import { type Config, positionOf, show } from './space'
import type { CompleteSweep, Objective } from './sweep'
import type { Trial } from './trial'

/** A trial, as far as it was trained. */
export interface Row {
  /** Its number. */
  trial: number
  /** How far. */
  epochs: number
  /** What became of it. */
  status: 'done' | 'failed'
  /** Its hyper-parameters. */
  config: Config
  /** The number that the sweep is about; null when it failed. */
  objective: number | null
  /** Numbers at the end. */
  metrics: Readonly<Record<string, number>>
  /** Numbers of each epoch. */
  history: readonly Readonly<Record<string, number>>[]
  /** Why it failed; null when it did not. */
  reason: string | null
  /** SHA-256 of its weights; null when it reports none. */
  weights: string | null
  /** How often it was begun. */
  attempts: number
  /** Of its last part. */
  seconds: number
  /** Where that ran. */
  worker: string
}

/** What a sweep found. */
export interface SweepTable {
  /** What was searched. */
  sweep: CompleteSweep
  /** A row per trial, the best first, those that failed last. */
  rows: Row[]
  /** Whether every trial has its outcome. */
  complete: boolean
  /** The first row; null while none is done. */
  best: Row | null
  /** Epochs that were trained in all. */
  epochs: number
}

/** The row of an outcome. A report without the objective is a failure. */
export function rowOf(trial: Trial, outcome: Outcome, { objective }: CompleteSweep): Row {
  const { attempts, seconds, worker, value } = outcome
  const { number, epochs, config } = trial
  const row: Row = {
    ...{ trial: number, epochs, status: 'failed', config, objective: null, metrics: {}, history: [] },
    ...{ reason: outcome.reason, weights: null, attempts, seconds, worker },
  }
  if (outcome.status === 'failed') return row
  const { metrics, history = [], weights = null } = value as Record<string, unknown>
  if (!isNumbers(metrics) || !Array.isArray(history) || !history.every(isNumbers)) {
    return { ...row, reason: `its report is ${show(value)}, expected { metrics, history } of numbers by name` }
  }
  const found = metrics[objective.metric]
  if (!Number.isFinite(found)) {
    const names = Object.keys(metrics).join(', ')
    // JSON has no others.
    const shown = found === null ? 'NaN or an infinite number' : show(found)
    return {
      ...row,
      reason: `its report has ${shown} as ${objective.metric}, expected a finite number; it has ${names}`,
    }
  }
  const known = typeof weights === 'string' ? weights : null
  return { ...row, status: 'done', objective: found, metrics, history, weights: known }
}

function isNumbers(value: unknown): value is Record<string, number> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === 'number' || item === null)
}

/** What less of is better; infinite for a failure. */
export function costOf({ objective: found }: Pick<Row, 'objective'>, { better }: Objective): number {
  if (found === null) return Number.POSITIVE_INFINITY
  return better === 'lower' ? found : -found
}

/** The better first; of equals the one with the lower number. */
export function compareRows(one: Row, other: Row, objective: Objective): number {
  const [a, b] = [costOf(one, objective), costOf(other, objective)]
  if (a !== b) return a < b ? -1 : 1
  return one.trial - other.trial || other.epochs - one.epochs
}

/** The table of a sweep from the parts of its trials. */
export function tableOf(sweep: CompleteSweep, parts: readonly Row[], complete: boolean): SweepTable {
  const furthest = new Map<number, Row>()
  for (const part of [...parts].sort((one, other) => one.epochs - other.epochs)) {
    const before = furthest.get(part.trial)
    const history = [...(before?.history ?? []), ...part.history]
    furthest.set(part.trial, { ...part, history })
  }
  const rows = [...furthest.values()].sort((one, other) => compareRows(one, other, sweep.objective))
  const best = rows[0]?.status === 'done' ? rows[0] : null
  return { sweep, rows, complete, best, epochs: rows.reduce((sum, row) => sum + trainedFor(row), 0) }
}

/** Epochs that a trial was trained for; of one that failed, those that it reported. */
function trainedFor({ status, epochs, history }: Row): number {
  return status === 'failed' ? history.length : epochs
}

/** Groups of about as many trials each, where a dimension has more values. */
const GROUPS = 6

/**
 * How much of the objective's variance each hyper-parameter explains alone, in [0, 1]: the correlation ratio η² over groups of its
 * values, corrected for their number (ε², Kelley 1935). Null where too few trials are done, or all found the same.
 */
export function importancesOf({ sweep, rows }: SweepTable): Record<string, number | null> {
  const done = rows.filter((row) => row.objective !== null)
  const mean = done.reduce((sum, row) => sum + Number(row.objective), 0) / done.length
  const total = done.reduce((sum, row) => sum + (Number(row.objective) - mean) ** 2, 0)
  return Object.fromEntries(
    Object.entries(sweep.space).map(([name, dimension]) => {
      const sorted = done
        .map((row) => ({ at: positionOf(dimension, row.config[name]), found: Number(row.objective) }))
        .sort((one, other) => one.at - other.at)
      const groups = groupsOf(sorted)
      if (!(total > 0) || groups.length < 2 || done.length <= groups.length) return [name, null]
      const within = groups.reduce((sum, group) => {
        const centre = group.reduce((all, { found }) => all + found, 0) / group.length
        return sum + group.reduce((all, { found }) => all + (found - centre) ** 2, 0)
      }, 0)
      const corrected = 1 - within / (done.length - groups.length) / (total / (done.length - 1))
      return [name, Math.max(0, corrected)]
    }),
  )
}

/** Equal values together; neighbours together where there are many. */
function groupsOf(sorted: readonly { at: number; found: number }[]): { at: number; found: number }[][] {
  const values = [...new Set(sorted.map(({ at }) => at))]
  if (values.length <= GROUPS) return values.map((value) => sorted.filter(({ at }) => at === value))
  const size = sorted.length / GROUPS
  const groups: { at: number; found: number }[][] = Array.from({ length: GROUPS }, () => [])
  for (const [index, item] of sorted.entries()) groups[Math.min(GROUPS - 1, Math.floor(index / size))].push(item)
  return groups
}
