import type { ImageDataset } from '@rowwise/data-mnist'
import { UsageError } from '../exit'
import type { RunSettings } from './settings'

/** What the kernels' memory may grow to. */
const MAX_BYTES = 2 ** 31

/** Floats that a step of one sample keeps per hidden unit for the backward pass: four gates, cell, tanh of it, output. */
const KEPT_PER_UNIT = 7

/** Refuses a batch whose backward pass cannot be kept in memory, before anything is made. */
export function checkSizes(settings: RunSettings, { length, height, width }: ImageDataset): void {
  const { hiddenSize, numLayers, bidirectional, batchSize } = settings
  const directions = bidirectional ? 2 : 1
  let floats = 0
  for (let layer = 0; layer < numLayers; layer++) {
    const inputSize = layer === 0 ? width : hiddenSize * directions
    floats += directions * height * (inputSize + KEPT_PER_UNIT * hiddenSize)
  }
  const largest = Math.floor(MAX_BYTES / (4 * floats))
  const rows = Math.min(batchSize, length)
  if (rows <= largest) return
  const mebibytes = Math.ceil((rows * floats * 4) / 2 ** 20)
  const fix = largest > 0 ? `lower --batch-size to at most ${largest}` : 'lower --hidden-size or --num-layers'
  throw new UsageError(
    `a batch of ${rows} images with --hidden-size ${hiddenSize} needs about ${mebibytes} MiB to be differentiated, ` +
      `more than the ${MAX_BYTES / 2 ** 20} MiB that the kernels may use; ${fix}`,
  )
}
