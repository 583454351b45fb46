import { type ImageDataset, imageDataset, type LoadedMnist, subset } from '@rowwise/data-mnist'
import { Generator } from '@rowwise/torch-random'
import type { NetworkShape } from '../workload'

const PIXELS = 28 * 28

/** Real MNIST where the network reads 784 pixels of an image; bytes of noise for every other shape. */
export async function trainingData(
  network: NetworkShape,
  batch: number,
  permuted: boolean,
  load: () => Promise<LoadedMnist>,
): Promise<ImageDataset> {
  const { time, inputSize, numClasses } = network
  if (time * inputSize === PIXELS && numClasses === 10) {
    const images = subset((await load()).train, 0, Math.max(6400, 4 * batch))
    return imageDataset({ ...(permuted ? permute(images) : images), height: time, width: inputSize })
  }
  const length = 4 * batch
  const noise = new Generator(2).uniform(new Float32Array(length * time * inputSize), 0, 256)
  return imageDataset({
    ...{ name: 'noise', height: time, width: inputSize },
    images: Uint8Array.from(noise),
    labels: Uint8Array.from({ length }, (_, index) => index % numClasses),
    classNames: Array.from({ length: numClasses }, (_, index) => String(index)),
  })
}

/** The same permutation of the pixels for every image (Le, Jaitly and Hinton 2015). */
function permute(dataset: ImageDataset): ImageDataset {
  const order = new Generator(0).randperm(PIXELS)
  const images = Uint8Array.from(dataset.images, (_, at) => {
    const pixel = at % PIXELS
    return dataset.images[at - pixel + order[pixel]]
  })
  return imageDataset({ ...dataset, images })
}
