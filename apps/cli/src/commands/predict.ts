import { type ImageDataset, normalize } from '@rowwise/data-mnist'
import { softmax, tensor3d, tidy } from '@tensorflow/tfjs-core'
import { UsageError } from '../exit'
import type { CommonFlags } from '../options'
import { type Content, readPicture, toSquare } from '../picture/read-picture'
import { startBackend } from '../run/prepare'
import { loadModel, loadTestImages, type UseFlags } from '../run/weights-and-data'
import type { LoadedModel } from '../run/weights-file'
import { drawImage, drawProbabilities } from '../show/digit'
import { print, printJson } from '../show/print'

/** The flags of `rowwise predict`. */
export interface PredictFlags extends CommonFlags, UseFlags {
  index?: number
}

interface GreyImage {
  /** uint8 `[height, width]`, bright on dark */
  pixels: Uint8Array
  height: number
  width: number
  /** The name of its class, where that is known. */
  label?: string
}

/** `rowwise predict`: what one image shows, with the probability of every class. */
export async function predict(path: string | undefined, flags: PredictFlags): Promise<void> {
  if ((path === undefined) === (flags.index === undefined)) {
    throw new UsageError('predict needs one image: a PNG file, or --index K for a test image')
  }
  const picture = path === undefined ? undefined : await readPicture(path)
  await startBackend(flags)
  const inUse = await loadModel(flags)
  const { model } = inUse
  const { mean, std, classNames } = inUse.preprocessing
  const { inputSize } = model.config
  const image: GreyImage =
    path === undefined || picture === undefined
      ? testImage(await loadTestImages(flags, inUse), flags.index ?? 0)
      : { ...toSquare(path, picture, inputSize, contentFor(classNames)), height: inputSize, width: inputSize }
  const probabilities = await classify(model, image, normalize(mean, std))
  const names = Array.from(probabilities, (_, index) => classNames[index] ?? String(index))
  const best = probabilities.indexOf(Math.max(...probabilities))
  if (flags.json) {
    printJson({
      prediction: names[best],
      label: image.label,
      probabilities: Object.fromEntries(names.map((name, k) => [name, probabilities[k]])),
    })
    return
  }
  print(drawImage(image.pixels, image.height, image.width))
  print(drawProbabilities(probabilities, names))
  print(`It shows ${names[best]}${image.label === undefined ? '' : ` (labelled ${image.label})`}.`)
}

function testImage(dataset: ImageDataset, index: number): GreyImage {
  const { length, height, width, images, labels, classNames } = dataset
  if (index >= length) throw new UsageError(`--index is ${index}, the test images are numbered 0 to ${length - 1}`)
  const size = height * width
  return { pixels: images.subarray(index * size, (index + 1) * size), height, width, label: classNames[labels[index]] }
}

/** Digits are drawings, which are found and centred; anything else is taken as it is. */
function contentFor(classNames: readonly string[]): Content {
  return classNames.every((name) => /^\d+$/.test(name)) ? 'drawing' : 'whole'
}

async function classify(model: LoadedModel['model'], image: GreyImage, table: Float32Array): Promise<Float32Array> {
  model.eval()
  const probabilities = tidy(() => {
    const values = Float32Array.from(image.pixels, (pixel) => table[pixel])
    return softmax(model.forward(tensor3d(values, [1, image.height, image.width])))
  })
  return (await probabilities.data()) as Float32Array
}
