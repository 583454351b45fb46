import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readImageFolder } from '@rowwise/data/images'
import { type ImageDataset, imageDataset, type LoadedMnist } from '@rowwise/data-mnist'
import { Generator } from '@rowwise/torch-random'
import { UsageError } from '../exit'

/** Of pictures in folders the share that is tested on, where there is no folder for that. */
const TEST_SHARE = 0.1

/** Pictures in `train` and `test`; without those a tenth of them, the same each time, is tested on. */
export async function loadFolder(
  directory: string,
  { classNames }: { classNames?: readonly string[] },
  signal?: AbortSignal,
): Promise<LoadedMnist> {
  const halves = ['train', 'test'].map((half) => join(directory, half))
  if (halves.every((half) => existsSync(half))) {
    const train = await readFolder(halves[0], classNames, signal)
    const test = await readFolder(halves[1], train.classNames, signal)
    if (train.height !== test.height || train.width !== test.width) {
      throw new UsageError(
        `${halves[0]} has pictures of ${train.height} × ${train.width} pixels, ${halves[1]} of ${test.height} × ${test.width}; scale all to one size`,
      )
    }
    return { train: chosen(train, new Generator(0).randperm(train.length)), test } // so --samples takes some of each class
  }
  const all = await readFolder(directory, classNames, signal)
  const order = new Generator(0).randperm(all.length)
  const tested = Math.max(1, Math.round(TEST_SHARE * all.length))
  if (all.length <= tested)
    throw new UsageError(`${directory} has ${all.length} picture; there must be more to train and to test on`)
  return { train: chosen(all, order.subarray(tested)), test: chosen(all, order.subarray(0, tested)) }
}

async function readFolder(
  directory: string,
  names: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<ImageDataset> {
  const { dataset, classNames, height, width } = await readImageFolder(directory, { classNames: names, signal })
  if (classNames.length > 256) throw new UsageError(`${directory} has ${classNames.length} classes, the limit is 256`)
  const { inputs, targets } = dataset.samples
  return imageDataset({
    ...{ name: basename(directory), height, width, classNames, images: inputs.data as Uint8Array },
    labels: Uint8Array.from(targets.data),
  })
}

function chosen(all: ImageDataset, order: Int32Array): ImageDataset {
  const { inputs, targets } = all.get(order)
  return imageDataset({ ...all, images: inputs.data as Uint8Array, labels: targets.data as Uint8Array })
}
