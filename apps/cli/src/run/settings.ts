import { resolve } from 'node:path'
import { UsageError } from '../exit'
import type { CellName, CommonFlags, DataFlags, Interval } from '../options'

/** The settings of a run: what decides its numbers. */
export interface RunSettings extends DataFlags {
  epochs: number
  batchSize: number
  lr: number
  /** The recurrent layers' cell. */
  cell: CellName
  hiddenSize: number
  numLayers: number
  bidirectional: boolean
  dropout: number
  /** In decimal digits, for 64 bits. */
  seed: string
  samples?: number
  /** Mean of the pixels scaled to [0, 1], to normalise with. */
  mean?: number
  /** Their standard deviation. */
  std?: number
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
  const { data, variant, source, classes, epochs, batchSize, lr, cell, hiddenSize, numLayers } = flags
  const { dropout, samples, mean, std } = flags
  return {
    ...{ data: data === undefined ? undefined : resolve(data), variant, source, classes },
    ...{ epochs, batchSize, lr, cell, hiddenSize, numLayers, bidirectional: flags.bidirectional ?? false, dropout },
    ...{ seed: String(flags.seed), samples, mean, std },
  }
}

/** Refuses settings that contradict each other, before anything is made. */
export function checkSettings({ dropout, numLayers, mean, std }: RunSettings): void {
  if (dropout > 0 && numLayers === 1) {
    throw new UsageError(
      `--dropout ${dropout} acts between layers, and --num-layers is 1; pass --num-layers 2, or leave out --dropout`,
    )
  }
  if ((mean === undefined) !== (std === undefined)) {
    throw new UsageError('--mean and --std belong together; pass both, or neither')
  }
}
