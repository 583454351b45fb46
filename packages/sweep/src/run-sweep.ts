import { isRowwiseError } from '@rowwise/errors'
import { refuseOptions, requireCallbacks, requireEngine, requireSignal } from './checks'
import type { Engine, JobSet, Outcome } from './engine'
import { searcherOf } from './search/searcher-of'
import { checkSweep, type Objective, type Sweep } from './sweep'
import { compareRows, costOf, type Row, rowOf, type SweepTable, tableOf } from './table'
import { keyOf, type Trial } from './trial'

/** How {@link runSweep} runs. */
export interface RunSweepOptions {
  /** Where trials run. */
  engine: Engine
  /** Told of each trial's end, those of earlier programs too. */
  onRow?: (row: Row, progress: SweepProgress) => void
  /** Stops: trials under way save and end, and the same call goes on later. */
  signal?: AbortSignal
}

/** How far a sweep is. */
export interface SweepProgress {
  /** Jobs with an outcome. */
  done: number
  /** Jobs that were given out so far. */
  given: number
  /** Jobs in all; null while a search has not decided. */
  total: number | null
  /** The best so far; null while every trial has failed. */
  best: Row | null
}

/**
 * Searches hyper-parameters: gives out trials, collects what they find, and decides what is tried next. All that it knows is in the
 * engine's outcomes, and its decisions follow from them alone. So it can be stopped at any instant and called again, and two programs
 * that run the same sweep at once decide the same and count nothing twice.
 *
 * @returns every part of every trial, the best first
 * @throws {@link SweepDefinitionError} for a sweep or options that cannot be, {@link SweepMismatchError} when the engine holds another of its name,
 * {@link SweepStoreError} when something cannot be saved; what was found until then stays.
 * @example
 * ```ts
 * const { best } = await runSweep(
 *   { name: 'lr', space: { lr: logUniform(1e-4, 1e-1) }, search: { type: 'sobol', trials: 16 }, objective: { metric: 'loss', better: 'lower' } },
 *   { engine: localEngine({ jobs: { trial }, directory: 'sweeps/lr' }) },
 * )
 * ```
 */
export async function runSweep(sweep: Sweep, input: RunSweepOptions): Promise<SweepTable> {
  refuseOptions('runSweep()', input, { engine: true, onRow: true, signal: true })
  const { engine, onRow, signal } = input
  requireEngine('runSweep()', engine)
  requireCallbacks('runSweep()', { onRow })
  requireSignal('runSweep()', signal)
  const complete = checkSweep(sweep)
  const searcher = searcherOf(complete)
  const jobs = await engine.open({ name: complete.name, definition: complete })
  const given = new Map<string, Trial>()
  const early = new Map<string, Outcome>() // of trials that the search has not come to yet: a program before this one had
  const rows: Row[] = []
  const furthest = new Map<number, Row>()
  let best: Row | null = null

  const give = async (): Promise<Outcome[]> => {
    const trials = searcher.next()
    for (const trial of trials) given.set(keyOf(trial), trial)
    const known = trials.map((trial) => early.get(keyOf(trial))).filter((outcome) => outcome !== undefined)
    for (const { key } of known) early.delete(key)
    await jobs.add(
      trials.map((trial) => ({
        key: keyOf(trial),
        kind: 'trial' as const,
        data: { ...trial },
        ...(trial.from > 0 && { after: keyOf({ number: trial.number, epochs: trial.from }) }),
      })),
    )
    return known
  }
  const take = async (outcome: Outcome): Promise<void> => {
    const trial = given.get(outcome.key)
    if (!trial) {
      early.set(outcome.key, outcome)
      return
    }
    const row = rowOf(trial, outcome, complete)
    searcher.tell(outcome.key, costOf(row, complete.objective))
    rows.push(row)
    const before = furthest.get(row.trial)
    if (!before || before.epochs < row.epochs) furthest.set(row.trial, row)
    const loser = best
    best = bestOf(row, best, furthest, complete.objective)
    if (complete.search.type !== 'halving') {
      for (const other of [row, loser]) if (other && other !== best) await forget(jobs, other)
    }
    onRow?.(row, { done: rows.length, given: given.size, total: searcher.total, best })
    for (const known of await give()) await take(known)
  }

  const outcomes = jobs.outcomes(signal) // before jobs are given: the signal holds from here on
  try {
    for (const known of await give()) await take(known)
    if (!searcher.done) {
      for await (const outcome of outcomes) {
        await take(outcome)
        if (searcher.done) break
      }
    }
    return tableOf(complete, rows, searcher.done)
  } catch (error) {
    if (!signal?.aborted || isRowwiseError(error)) throw error
    return tableOf(complete, rows, false) // it was stopped while a store was asked
  } finally {
    await jobs.close()
  }
}

/** The best trial by what it found last: one that gets worse while it is trained further loses its place. */
function bestOf(row: Row, best: Row | null, furthest: ReadonlyMap<number, Row>, objective: Objective): Row | null {
  const isOwn = best?.trial === row.trial
  const rivals = isOwn ? [...furthest.values()] : [best, row].filter((rival) => rival !== null)
  const done = rivals.filter(({ status }) => status === 'done')
  return done.sort((one, other) => compareRows(one, other, objective))[0] ?? null
}

/** Weights of a trial that is not the best are not kept: there may be thousands. */
function forget(jobs: JobSet, { trial, epochs }: Row): Promise<void> {
  return jobs.discard(keyOf({ number: trial, epochs }))
}
