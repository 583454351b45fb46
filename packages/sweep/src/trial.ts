import type { Config } from './space'

/** One training with one configuration, as plain data: what a machine needs to know, and nothing of any machine. */
export interface Trial {
  /** From 0, in the order of the search. */
  number: number
  /** The hyper-parameters. */
  config: Config
  /** Of the trial's own randomness; the same for all, so that configurations are compared and not their luck. */
  seed: number
  /** How far to train in all, those epochs included that an earlier part of the trial has trained. */
  epochs: number
  /** How far it was trained before; 0 for a new trial. */
  from: number
  /** What all trials of the sweep share. */
  fixed: Readonly<Record<string, unknown>>
}

/** What a trial found. */
export interface TrialReport {
  /** Numbers at the end, the objective's among them. */
  metrics: Readonly<Record<string, number>>
  /** Numbers of each epoch, for learning curves. */
  history?: readonly Readonly<Record<string, number>>[]
  /** SHA-256 of the weights, in hexadecimal: equal wherever the trial is run again. */
  weights?: string
}

/** The name of a trial's part: its number and how far it trains. */
export function keyOf({ number, epochs }: Pick<Trial, 'number' | 'epochs'>): string {
  return `${number}@${epochs}`
}
