import type { Row, RunSweepOptions, SweepState, SweepTable } from '@rowwise/sweep'
import { SingleBar } from 'cli-progress'
import { print, printJson } from '../show/print'
import { duration } from '../show/progress'

type OnRow = NonNullable<RunSweepOptions['onRow']>

/** Rows that are printed at the end. */
const SHOWN_ROWS = 10

/** Lines that are printed on the way where there is no terminal, whatever the number of trials. */
const SHOWN_LINES = 50

/** A number as people read it. */
export const short = (value: unknown): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(5))) : String(value)

/** What a row found, or why not. */
export function found({ objective, reason }: Row, metric: string): string {
  return objective === null ? `failed: ${reason}` : `${metric} ${short(objective)}`
}

/** A row for machines, each number with its name. */
export function rowJson({
  trial,
  epochs,
  status,
  config,
  metrics,
  reason,
  weights,
  attempts,
  seconds,
  worker,
}: Row): object {
  return { trial, epochs, status, config, metrics, reason, weights, attempts, seconds, worker }
}

/** For machines: a line per outcome. */
export const jsonRows: OnRow = (row, { done, total }) => printJson({ type: 'trial', ...rowJson(row), done, total })

/** For people: a bar with the best so far where there is a terminal, some lines elsewhere. */
export function peopleRows(metric: string): { onRow: OnRow; stop(): void } {
  const began = performance.now()
  const isTerminal = process.stderr.isTTY === true
  const format = '[{bar}] {value}/{total} | {best} | {left} left'
  const bar = isTerminal
    ? new SingleBar({ format, hideCursor: true, clearOnComplete: true, stream: process.stderr })
    : null
  let earlier = 0
  let bestTrial: Row | null = null
  bar?.start(1, 0, { best: 'no trial is done', left: '-' })
  return {
    onRow(row, { done, given, total, best }) {
      const seconds = (performance.now() - began) / 1000
      if (seconds < 0.2) earlier = done // outcomes of a program before this one come at once
      const all = total ?? given
      const left = duration(((all - done) * seconds) / Math.max(1, done - earlier))
      const words = best ? `best ${found(best, metric)}, trial ${best.trial}` : 'every trial failed so far'
      bar?.setTotal(all)
      bar?.update(done, { best: words, left: total === null ? `${left} at least` : left })
      const isNews = best !== bestTrial || row.status === 'failed' || done % Math.ceil(all / SHOWN_LINES) === 0
      bestTrial = best
      if (bar || !isNews) return
      const [part, goal] = [row.epochs, total === null ? `${given} so far` : String(total)]
      print(`${done}/${goal}: trial ${row.trial}, epoch ${part}: ${found(row, metric)}; ${words}`)
    },
    stop: () => bar?.stop(),
  }
}

/** The best rows as a table. */
export function tableText({ rows, sweep }: SweepTable): string {
  const names = Object.keys(sweep.space)
  const { metric } = sweep.objective
  const head = ['trial', 'epochs', metric, ...names]
  const lines = rows
    .slice(0, SHOWN_ROWS)
    .map((row) => [
      ...[row.trial, row.epochs, row.objective === null ? 'failed' : short(row.objective)].map(String),
      ...names.map((name) => short(row.config[name])),
    ])
  const widths = head.map((name, k) => Math.max(name.length, ...lines.map((line) => line[k].length)))
  const text = [head, ...lines].map((line) => line.map((cell, k) => cell.padStart(widths[k])).join('  '))
  const more = rows.length > SHOWN_ROWS ? [`… and ${rows.length - SHOWN_ROWS} more`] : []
  const failed = rows.filter(({ status }) => status === 'failed')
  const reasons = failed.length > 0 ? [`${failed.length} failed; trial ${failed[0].trial}: ${failed[0].reason}`] : []
  return [...text, ...more, ...reasons].join('\n')
}

/** How far a sweep is, in a line. */
export function statusLine({ sweep, done, total, given, best, complete }: SweepState): string {
  const of = total ?? `at least ${given}`
  const words = best ? `best ${found(best, sweep.objective.metric)}, trial ${best.trial}` : 'no trial is done'
  return `${sweep.name}: ${complete ? 'complete, ' : ''}${done} of ${of} jobs done; ${words}`
}
