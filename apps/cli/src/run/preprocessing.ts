import { type ImageDataset, pixelStatistics, VARIANTS } from '@rowwise/data-mnist'
import type { RunSettings } from './settings'

/** What a model needs to be used on new images; it is in the metadata of its safetensors file. */
export interface Preprocessing {
  /** Mean and standard deviation that pixels in [0, 1] were normalised with. */
  mean: number
  std: number
  /** One name per class. */
  classNames: readonly string[]
  /** The data set's name, where it is a known one. */
  variant?: string
  /** The size of the pictures of a folder that the model was trained on, which are read as they are. */
  pictures?: { height: number; width: number }
}

/**
 * How a run's images are normalised: as --mean and --std say, as is usual for a known data set, or by the training images' own numbers.
 * Those are rounded to four digits, as the known ones are: MNIST's own files give MNIST's usual numbers.
 */
export function preprocessingOf(settings: RunSettings, training: ImageDataset): Preprocessing {
  const isOwn = (settings.data ?? settings.images) !== undefined
  const { mean, std, variant = isOwn ? undefined : 'mnist' } = settings
  const { classNames, height, width } = training
  const pictures = settings.images === undefined ? undefined : { height, width }
  const about = { classNames, ...(variant && { variant }), ...(pictures && { pictures }) }
  if (mean !== undefined && std !== undefined) return { mean, std, ...about }
  const facts = variant && VARIANTS[variant]
  if (facts && 'mean' in facts) return { mean: facts.mean, std: facts.std, ...about }
  const measured = pixelStatistics(training)
  return { mean: rounded(measured.mean), std: rounded(measured.std), ...about }
}

function rounded(value: number): number {
  return value < 0.001 ? value : Number(value.toFixed(4))
}
