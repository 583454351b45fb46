import { join } from 'node:path'
import { normalize } from '@rowwise/data-mnist'
import { isRowwiseError } from '@rowwise/errors'
import { predict } from '@rowwise/train-loop'
import { tensor3d } from '@tensorflow/tfjs-core'
import { readPicture } from '../picture/read-picture'
import { imageOf } from '../run/content'
import type { ModelInUse } from '../run/weights-and-data'

/** What a picture shows; or why that cannot be told. */
export interface PictureRow {
  file: string
  prediction: string | null
  probabilities: Record<string, number> | null
  error: string | null
}

/** Says what pictures show. One that cannot be read is a row with its reason. */
export async function predictPictures(
  inUse: ModelInUse,
  directory: string,
  files: readonly string[],
): Promise<PictureRow[]> {
  const { model, preprocessing } = inUse
  const { mean, std, classNames, pictures } = preprocessing
  const { height, width } = pictures ?? { height: model.config.inputSize, width: model.config.inputSize }
  const table = normalize(mean, std)
  const read = await Promise.all(
    files.map(async (file) => {
      const path = join(directory, file)
      try {
        return { file, pixels: imageOf(file, await readPicture(path), inUse).pixels }
      } catch (error) {
        if (!isRowwiseError(error)) throw error
        return { file, error: error.message.replaceAll(path, file) }
      }
    }),
  )
  const whole = read.filter((one): one is { file: string; pixels: Uint8Array } => 'pixels' in one)
  const values = new Float32Array(whole.length * height * width)
  for (const [k, { pixels }] of whole.entries())
    values.set(
      Float32Array.from(pixels, (pixel) => table[pixel]),
      k * height * width,
    )
  const found =
    whole.length === 0 ? new Float32Array(0) : await probabilitiesOf(model, values, [whole.length, height, width])
  const names = Array.from({ length: model.config.numClasses }, (_, k) => classNames[k] ?? String(k))
  let next = 0
  return read.map((one) => {
    if ('error' in one) return { file: one.file, prediction: null, probabilities: null, error: one.error ?? null }
    const row = found.subarray(next * names.length, ++next * names.length)
    const probabilities = Object.fromEntries(names.map((name, k) => [name, row[k]]))
    return { file: one.file, prediction: names[row.indexOf(Math.max(...row))], probabilities, error: null }
  })
}

async function probabilitiesOf(
  model: ModelInUse['model'],
  values: Float32Array,
  shape: [number, number, number],
): Promise<Float32Array> {
  const inputs = tensor3d(values, shape)
  try {
    const outputs = await predict(model, inputs, { probabilities: true })
    try {
      return (await outputs.data()) as Float32Array
    } finally {
      outputs.dispose()
    }
  } finally {
    inputs.dispose()
  }
}
