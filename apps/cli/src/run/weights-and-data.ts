import { type ImageDataset, VARIANTS } from '@rowwise/data-mnist'
import { UsageError } from '../exit'
import type { DataFlags, SeriesFlags } from '../options'
import { loadFolder } from './image-folder'
import { loadData } from './prepare'
import type { Preprocessing } from './preprocessing'
import { requireMeanAndStd } from './settings'
import type { LoadedModel, WeightsFlags } from './weights-file'

/** The flags of a command that uses saved weights. */
export interface UseFlags extends DataFlags, SeriesFlags, WeightsFlags {
  mean?: number
  std?: number
}

/** A model, and how its images are to be prepared. */
export interface ModelInUse {
  model: LoadedModel['model']
  preprocessing: Preprocessing
}

/** A model of images; how those are normalised is as the flags say, or the file, or usual for the data set. */
export function imagesOf(flags: UseFlags, { model, preprocessing, series }: LoadedModel): ModelInUse {
  if (series) {
    throw new UsageError(
      `${flags.weights} was trained to forecast ${series.target.join(', ')} of a time series, not on images; pass its CSV file as --csv`,
    )
  }
  if (flags.csv !== undefined) {
    throw new UsageError(
      `${flags.weights} tells images apart, and --csv is a time series; leave it out, or take other weights`,
    )
  }
  requireMeanAndStd(flags)
  const known: Partial<Preprocessing> | undefined = preprocessing ?? usual(flags)
  const { mean = known?.mean, std = known?.std } = flags
  if (mean === undefined || std === undefined) {
    throw new UsageError(
      `${flags.weights} does not say how its images were normalised, and ${flags.variant ?? '--data'} has no usual numbers; pass --mean and --std`,
    )
  }
  const { numClasses } = model.config
  const names = Array.from(
    { length: numClasses },
    (_, label) => flags.classNames?.[label] ?? known?.classNames?.[label] ?? String(label),
  )
  const { variant, pictures } = preprocessing ?? {}
  return { model, preprocessing: { mean, std, classNames: names, variant, ...(pictures && { pictures }) } }
}

/** Loads the test images that the flags name, by default those that the weights were made for, and refuses others. */
export async function loadTestImages(flags: UseFlags, { model, preprocessing }: ModelInUse): Promise<ImageDataset> {
  const isOwn = (flags.images ?? flags.data) !== undefined && flags.variant === undefined
  const variant = isOwn ? undefined : (flags.variant ?? knownVariant(preprocessing.variant) ?? 'mnist')
  if (variant && preprocessing.variant && variant !== preprocessing.variant) {
    throw new UsageError(
      `${flags.weights} was trained on ${preprocessing.variant}, the images are ${variant}'s; pass --variant ${preprocessing.variant}`,
    )
  }
  const classNames = flags.classNames ?? (isOwn ? [...preprocessing.classNames] : undefined)
  const { test } = await (flags.images === undefined
    ? loadData({ ...flags, variant, classNames })
    : loadFolder(flags.images, { classNames }))
  const { inputSize, numClasses } = model.config
  if (test.width !== inputSize) {
    throw new UsageError(
      `the images are ${test.width} pixels wide, ${flags.weights} reads rows of ${inputSize}; use images of its own data set`,
    )
  }
  const names = test.classNames.join(', ')
  if (test.classNames.length !== numClasses || names !== preprocessing.classNames.join(', ')) {
    throw new UsageError(
      `${flags.weights} tells ${numClasses} classes apart (${preprocessing.classNames.join(', ')}), the images have ` +
        `${test.classNames.length} (${names}); pass its own images as --data or --variant`,
    )
  }
  return test
}

/** What is known of a data set: some have names of their classes, and no mean that everybody uses. */
function usual({
  data,
  variant = data === undefined ? 'mnist' : undefined,
}: UseFlags): Partial<Preprocessing> | undefined {
  return variant && { ...VARIANTS[variant], variant: undefined }
}

function knownVariant(name: string | undefined): DataFlags['variant'] {
  return name !== undefined && Object.hasOwn(VARIANTS, name) ? (name as DataFlags['variant']) : undefined
}
