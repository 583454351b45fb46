import { resolve } from 'node:path'
import { UsageError } from '../exit'
import type { CellName, CommonFlags, DataFlags, Interval, LOSS_NAMES, OPTIMIZER_NAMES, SeriesFlags } from '../options'
import { optionOf } from '../show/option-name'

/** The settings of a run: what decides its numbers. */
export interface RunSettings extends DataFlags, SeriesFlags {
  /** Of a time series: rows that are read, rows that are forecast, and which columns. */
  window?: number
  horizon?: number
  target?: string[]
  columns?: string[]
  epochs: number
  batchSize: number
  lr: number
  /** What is minimised; as is usual for the task when absent. */
  loss?: (typeof LOSS_NAMES)[number]
  optimizer: (typeof OPTIMIZER_NAMES)[number]
  momentum?: number
  weightDecay?: number
  /** `stepLR:stepSize=3,gamma=0.5` */
  schedule?: string
  /** The epochs that the run was begun with, which a schedule is laid out for. */
  scheduleEpochs: number
  /** `randomRotation=10,randomCrop=2` */
  augment?: string
  /** The share of the training data that the run is steered by. */
  validation?: number
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
export interface TrainFlags extends CommonFlags, Omit<RunSettings, 'seed' | 'bidirectional' | 'scheduleEpochs'> {
  bidirectional?: boolean
  seed: bigint
  out?: string
  force?: boolean
  resume?: string
  tensorboard?: boolean
  checkpointEvery: Interval
  keep: number
}

/** The settings that a new run's flags come to. */
export function settingsOf(flags: TrainFlags): RunSettings {
  const { variant, source, classNames, delimiter, window, horizon, target, columns } = flags
  const { epochs, batchSize, lr, loss, optimizer, momentum, weightDecay, schedule, augment, validation } = flags
  const { cell, hiddenSize, numLayers, dropout, samples, mean, std } = flags
  const path = (given: string | undefined): string | undefined => (given === undefined ? undefined : resolve(given))
  return {
    ...{ data: path(flags.data), images: path(flags.images), csv: path(flags.csv), variant, source, classNames },
    ...{ delimiter, window, horizon, target, columns },
    ...{ epochs, batchSize, lr, loss, optimizer, momentum, weightDecay, schedule, scheduleEpochs: epochs, augment },
    ...{ validation, cell, hiddenSize, numLayers, bidirectional: flags.bidirectional ?? false, dropout },
    ...{ seed: String(flags.seed), samples, mean, std },
  }
}

/** What only images have, and what only a time series has. */
const OF_IMAGES = ['data', 'images', 'variant', 'source', 'classNames', 'augment', 'mean', 'std', 'samples'] as const
const OF_SERIES = ['delimiter', 'window', 'horizon', 'target', 'columns'] as const

/** Refuses one of --mean and --std alone. */
export function requireMeanAndStd({ mean, std }: { mean?: number; std?: number }): void {
  if ((mean === undefined) !== (std === undefined))
    throw new UsageError('--mean and --std belong together; pass both, or neither')
}

/** Refuses two sources of images. */
export function requireOneSource({ data, source }: DataFlags): void {
  if (data !== undefined && source !== undefined)
    throw new UsageError(
      '--data is a directory that has the files, and --source says where to fetch them; leave one out',
    )
}

/** Refuses settings that contradict each other, before anything is made. */
export function checkSettings(settings: RunSettings): void {
  const { dropout, numLayers, csv, data, images, variant, source, optimizer, momentum } = settings
  if (dropout > 0 && numLayers === 1) {
    throw new UsageError(
      `--dropout ${dropout} acts between layers, and --num-layers is 1; pass --num-layers 2, or leave out --dropout`,
    )
  }
  requireMeanAndStd(settings)
  const others = csv === undefined ? OF_SERIES : OF_IMAGES
  const stray = others.find((name) => settings[name] !== undefined)
  if (stray !== undefined) {
    const fix = csv === undefined ? 'pass --csv, or leave it out' : 'leave it out, or leave out --csv'
    throw new UsageError(`${optionOf(stray)} is for ${csv === undefined ? 'a time series' : 'images'}; ${fix}`)
  }
  if (csv !== undefined && (settings.window === undefined || settings.target === undefined)) {
    throw new UsageError(
      '--csv wants --window, how many rows are read, and --target, which column is forecast; pass both',
    )
  }
  const from = Object.entries({ data, variant, source }).find(([, value]) => value !== undefined)
  if (images !== undefined && from)
    throw new UsageError(`--images and --${from[0]} both say where images come from; leave one out`)
  requireOneSource(settings)
  if (momentum !== undefined && optimizer !== 'SGD' && optimizer !== 'RMSprop') {
    throw new UsageError(
      `--momentum is for SGD and RMSprop, and --optimizer is ${optimizer}; leave it out, or choose one of both`,
    )
  }
}
