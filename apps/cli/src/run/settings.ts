import { resolve } from 'node:path'
import type { CommonFlags, DataFlags, Interval } from '../options'

/** The settings of a run: what decides its numbers. */
export interface RunSettings extends DataFlags {
  epochs: number
  batchSize: number
  lr: number
  hiddenSize: number
  numLayers: number
  bidirectional: boolean
  dropout: number
  /** In decimal digits, for 64 bits. */
  seed: string
  samples?: number
}

/** The flags of `rowwise train`. */
export interface TrainFlags extends CommonFlags, Omit<RunSettings, 'seed' | 'bidirectional'> {
  bidirectional?: boolean
  seed: bigint
  out?: string
  force?: boolean
  resume?: string
  checkpointEvery: Interval
  keep: number
}

/** The settings that a new run's flags come to. */
export function settingsOf(flags: TrainFlags): RunSettings {
  const { data, variant, source, epochs, batchSize, lr, hiddenSize, numLayers, dropout, samples } = flags
  return {
    data: data === undefined ? undefined : resolve(data),
    variant,
    source,
    epochs,
    batchSize,
    lr,
    hiddenSize,
    numLayers,
    bidirectional: flags.bidirectional ?? false,
    dropout,
    seed: String(flags.seed),
    samples,
  }
}
