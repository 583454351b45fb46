import { createHash } from 'node:crypto'
import { type Dataset, split } from '@rowwise/data'
import { DataLoader, type ImageBatch, type ImageDataset, normalize, subset } from '@rowwise/data-mnist'
import { Generator } from '@rowwise/torch-random'
import { UsageError } from '../exit'
import { classified, classifierMetrics, testLine } from '../show/test-line'
import { transformOf } from './augmentation'
import { loadFolder } from './image-folder'
import { loadData } from './prepare'
import { preprocessingOf } from './preprocessing'
import { lossOf } from './recipe'
import type { RunSettings } from './settings'
import { checkSizes } from './sizes'
import { makeNet, type Task } from './task'

/** Larger batches make the evaluation faster; its numbers do not depend on it. */
const TEST_BATCH_SIZE = 1000

/** Learns the classes of images. */
export async function imageTask(
  settings: RunSettings,
  signal: AbortSignal,
): Promise<Task<ReturnType<typeof classifierMetrics>>> {
  const loss = lossOf(settings)
  const data =
    settings.images === undefined
      ? await loadData(settings, signal)
      : await loadFolder(settings.images, settings, signal)
  const training = settings.samples === undefined ? data.train : firstSamples(data.train, settings.samples)
  checkSizes(settings, training)
  const preprocessing = preprocessingOf(settings, training)
  const { mean, std, classNames } = preprocessing
  const digest = digestOf(training)
  const { height, width } = training
  transformOf(settings.augment, { mean, std }, [height, width], new Generator(0)) // refuses what cannot be
  const [trained, validated] = validationOf(training, settings)
  const plain = normalize(mean, std)
  const isMeasured =
    settings.variant === undefined && settings.mean === undefined && (settings.data ?? settings.images) !== undefined
  return {
    samples: trained.length,
    loaders(generator) {
      const transform = transformOf(settings.augment, { mean, std }, [height, width], generator)
      const options = { batchSize: settings.batchSize, shuffle: true, generator, transform }
      const evaluated = { batchSize: TEST_BATCH_SIZE, transform: plain }
      return {
        train: new DataLoader(trained, options),
        test: new DataLoader(data.test, evaluated),
        ...(validated && { validation: new DataLoader(validated, evaluated) }),
      }
    },
    makeModel: (generator) => makeNet(settings, { inputSize: width, numClasses: classNames.length }, generator),
    loss,
    metrics: classifierMetrics(),
    decisive: { mean, std, trainingData: `sha256:${digest}` },
    metadata: preprocessing, // without a task: the file of the reference program stays what it is, to the byte
    header: [
      `${training.length} training and ${data.test.length} test images, ${height} rows of ${width}`,
      ...(validated ? [`${validated.length} of the training images steer the run`] : []),
      ...(isMeasured
        ? [`${classNames.length} classes; mean ${mean} and std ${std}, measured on the training images`]
        : []),
    ],
    shown: classified,
    line: (name, result) => testLine(classified(result)).replace('Test set', name),
  }
}

/** Digests of images, which take longer than a short training. */
const digests = new WeakMap<Uint8Array, string>()

function digestOf({ images, labels }: ImageDataset): string {
  const known = digests.get(images) ?? createHash('sha256').update(images).update(labels).digest('hex')
  digests.set(images, known)
  return known
}

/** The images that are trained on, and those that steer the run; drawn by the seed, apart from the run's own draws. */
function validationOf(
  training: ImageDataset,
  { validation, seed }: RunSettings,
): [Dataset<ImageBatch>, Dataset<ImageBatch> | undefined] {
  if (validation === undefined) return [training, undefined]
  const count = Math.round(validation * training.length)
  if (count < 1 || count >= training.length) {
    throw new UsageError(
      `--validation ${validation} of ${training.length} images is ${count}; choose a share that leaves some of both`,
    )
  }
  const [rest, validated] = split<ImageBatch>(
    training,
    [training.length - count, count],
    new Generator(BigInt(seed)).fork(),
  )
  return [rest, validated]
}

function firstSamples(dataset: ImageDataset, samples: number): ImageDataset {
  if (samples > dataset.length) {
    throw new UsageError(`--samples is ${samples}, the data set has ${dataset.length} training images; ask for fewer`)
  }
  return subset(dataset, 0, samples)
}
