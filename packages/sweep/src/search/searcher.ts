import type { Trial } from '../trial'

/** Decides what is tried next. Its decisions follow from the outcomes alone, so a program that starts anew decides the same. */
export interface Searcher {
  /** Trials that can start, which were not given out before. */
  next(): Trial[]
  /** An outcome: its cost, where less is better; infinite for a trial that failed. */
  tell(key: string, cost: number): void
  /** Whether every trial has an outcome and no more will come. */
  readonly done: boolean
  /** How many jobs there are in all; null while that is not decided. */
  readonly total: number | null
}
