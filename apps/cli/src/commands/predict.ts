import { type ImageDataset, normalize } from '@rowwise/data-mnist'
import { predict as predictAll } from '@rowwise/train-loop'
import { softmax, tensor3d, tidy } from '@tensorflow/tfjs-core'
import { type BatchFlags, predictBatch } from '../batch/predict-batch'
import { UsageError } from '../exit'
import type { CommonFlags } from '../options'
import { readPicture } from '../picture/read-picture'
import { imageOf } from '../run/content'
import { startBackend } from '../run/prepare'
import { type SeriesInUse, seriesInUse, windowsUpTo } from '../run/series-in-use'
import { imagesOf, loadTestImages, type UseFlags } from '../run/weights-and-data'
import { type LoadedModel, loadWeights } from '../run/weights-file'
import { drawImage, drawProbabilities } from '../show/digit'
import { optionOf } from '../show/option-name'
import { print, printJson } from '../show/print'

/** The flags of `rowwise predict`. */
export interface PredictFlags extends CommonFlags, UseFlags, BatchFlags {
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

/** `rowwise predict`: what one image shows, with the probability of every class, or what comes after a time series. */
export async function predict(path: string | undefined, flags: PredictFlags): Promise<void> {
  if (flags.batch !== undefined) {
    if (path !== undefined || flags.index !== undefined)
      throw new UsageError('predict takes --batch or one image, not both')
    await predictBatch(flags.batch, flags)
    return
  }
  for (const name of ['out', 'workers', 'redis', 'redisCa', 'files', 'retryFailed'] as const) {
    if (flags[name] === undefined) continue
    throw new UsageError(`${optionOf(name)} is for --batch; leave it out, or pass --batch too`)
  }
  if (flags.csv !== undefined) {
    if (path !== undefined || flags.index !== undefined)
      throw new UsageError('predict takes --csv or an image, not both')
    await startBackend(flags)
    const loaded = await loadWeights(flags)
    const series = await seriesInUse(flags, loaded)
    if (series) await showForecast(series, flags)
    else imagesOf(flags, loaded) // says what the weights are for
    return
  }
  if ((path === undefined) === (flags.index === undefined)) {
    throw new UsageError('predict needs one image: a PNG file, or --index K for a test image; or a time series: --csv')
  }
  const picture = path === undefined ? undefined : await readPicture(path)
  await startBackend(flags)
  const inUse = imagesOf(flags, await loadWeights(flags))
  const { model } = inUse
  const { mean, std, classNames } = inUse.preprocessing
  const image: GreyImage =
    path === undefined || picture === undefined
      ? testImage(await loadTestImages(flags, inUse), flags.index ?? 0)
      : imageOf(path, picture, inUse)
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

/** The rows after the last, in the units of the columns. */
async function showForecast({ model, facts, table }: SeriesInUse, { json }: PredictFlags): Promise<void> {
  const { columns, target, window, horizon, scales } = facts
  const outputs = await predictAll(
    model,
    tensor3d(windowsUpTo(table, facts, [table.rows]), [1, window, columns.length]),
  )
  const values = await outputs.data()
  const rows = Array.from({ length: horizon }, (_, row) =>
    Object.fromEntries(
      target.map((name, k) => [name, values[row * target.length + k] * scales[name].std + scales[name].mean]),
    ),
  )
  if (json) printJson({ forecast: rows })
  else
    for (const [row, forecast] of rows.entries()) {
      const shown = target.map((name) => `${name} ${Number(forecast[name].toPrecision(6))}`)
      print(`row ${table.rows + row + 1}: ${shown.join(', ')}`)
    }
}

function testImage(dataset: ImageDataset, index: number): GreyImage {
  const { length, height, width, images, labels, classNames } = dataset
  if (index >= length) throw new UsageError(`--index is ${index}, the test images are numbered 0 to ${length - 1}`)
  const size = height * width
  return { pixels: images.subarray(index * size, (index + 1) * size), height, width, label: classNames[labels[index]] }
}

async function classify(model: LoadedModel['model'], image: GreyImage, table: Float32Array): Promise<Float32Array> {
  model.eval()
  const probabilities = tidy(() => {
    const values = Float32Array.from(image.pixels, (pixel) => table[pixel])
    return softmax(model.forward(tensor3d(values, [1, image.height, image.width])))
  })
  return (await probabilities.data()) as Float32Array
}
