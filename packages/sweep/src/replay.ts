import type { Outcome } from './engine'
import { searcherOf } from './search/searcher-of'
import { checkSweep } from './sweep'
import { costOf, type Row, rowOf, type SweepTable, tableOf } from './table'
import { keyOf, type Trial } from './trial'

/** Where a sweep stands. */
export interface SweepState extends SweepTable {
  /** Jobs with an outcome. */
  done: number
  /** Jobs that the search has given out. */
  given: number
  /** Jobs in all; null while a search has not decided. */
  total: number | null
  /** Jobs that were given out and have no outcome. */
  openKeys: string[]
}

/**
 * The state of a sweep from its definition and outcomes, in any order, without running anything.
 *
 * @throws {@link SweepDefinitionError} when the definition is not a sweep's.
 */
export function replaySweep(definition: unknown, outcomes: readonly Outcome[]): SweepState {
  const sweep = checkSweep(definition)
  const searcher = searcherOf(sweep)
  const byKey = new Map(outcomes.map((outcome) => [outcome.key, outcome]))
  const parts: Row[] = []
  const openKeys: string[] = []
  let given = 0
  for (let trials: Trial[] = searcher.next(); trials.length > 0; trials = searcher.next()) {
    given += trials.length
    for (const trial of trials) {
      const outcome = byKey.get(keyOf(trial))
      if (!outcome) {
        openKeys.push(keyOf(trial))
        continue
      }
      const row = rowOf(trial, outcome, sweep)
      searcher.tell(outcome.key, costOf(row, sweep.objective))
      parts.push(row)
    }
  }
  return { ...tableOf(sweep, parts, searcher.done), done: parts.length, given, total: searcher.total, openKeys }
}
