import { readFile } from 'node:fs/promises'
import { reasonOf } from '@rowwise/errors'
import { decodeSafetensors, loadNet, type RecurrentNet, save } from '@rowwise/models-rnn'
import { z } from 'zod'
import { UsageError } from '../exit'
import { LOSS_NAMES } from '../options'
import { inOptions } from '../show/in-options'
import { type ReadModel, readForeign, type UsableModel, usable } from './foreign-model'
import type { Preprocessing } from './preprocessing'
import type { SeriesFacts } from './series-task'

/** A model from a file, with what it is for: images, or a time series; neither when the file is not one of ours. */
export interface LoadedModel {
  model: UsableModel
  preprocessing?: Preprocessing
  series?: SeriesFacts
}

const METADATA_KEY = 'preprocessing'

/** The bytes of a weights file: the state dict under PyTorch's names, the rest as metadata. */
export function encodeWeights(model: RecurrentNet, metadata: object): Promise<Uint8Array> {
  return save(model, { metadata: { [METADATA_KEY]: JSON.stringify(metadata) } })
}

/** Which weights, and what their layers are called. */
export interface WeightsFlags {
  weights?: string
  rename?: Record<string, string>
}

/**
 * Reads a weights file that commands use: a model that tells classes apart, or forecasts. What a person should know
 * about it is said on standard error, a line each, unless not `isTold`.
 */
export async function loadWeights(flags: WeightsFlags, isTold = true): Promise<LoadedModel> {
  const { layer, metadata } = await readModel(flags, isTold)
  const model = await named(flags.weights as string, async () => usable(layer))
  const text = metadata[METADATA_KEY]
  return { model, preprocessing: readPreprocessing(text), series: readSeries(text) }
}

/** Reads any model: safetensors, ours or PyTorch's, ONNX, Keras's, or a `model.json` of tf.layers. */
export async function readModel({ weights: path, rename }: WeightsFlags, isTold = true): Promise<ReadModel> {
  if (path === undefined) throw new UsageError('which weights? pass a file as --weights')
  const bytes = await readFile(path).catch((cause) => {
    throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}; pass a weights file as --weights`, { cause })
  })
  const onNote = (note: string): void => {
    if (isTold) console.error(`rowwise: ${path}: ${note}`)
  }
  return named(path, async () => {
    const foreign = await readForeign(path, bytes, onNote)
    if (foreign && rename) throw new UsageError('--rename is for safetensors files; leave it out')
    if (foreign) return foreign
    const file = decodeSafetensors(bytes)
    return { layer: loadNet(file, { rename, onNote }), metadata: file.metadata }
  })
}

/** Says which file an error is about. */
async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new UsageError(`${path}: ${inOptions((cause as Error).message)}`, { cause })
  }
}

function readPreprocessing(text: string | undefined): Preprocessing | undefined {
  try {
    const { mean, std, classNames, variant, pictures } = JSON.parse(text ?? '')
    const valid = Number.isFinite(mean) && Number.isFinite(std) && std !== 0 && Array.isArray(classNames)
    const isSized = Number.isInteger(pictures?.height) && Number.isInteger(pictures?.width)
    const known = { variant: variant && String(variant), ...(isSized && { pictures }) }
    return valid ? { mean, std, classNames: classNames.map(String), ...known } : undefined
  } catch {
    return undefined // another program's metadata: the data set's own numbers serve
  }
}

const seriesFacts = z.object({
  task: z.literal('forecast'),
  columns: z.array(z.string()).min(1),
  target: z.array(z.string()).min(1),
  window: z.int().positive(),
  horizon: z.int().positive(),
  scales: z.record(z.string(), z.object({ mean: z.number(), std: z.number().positive() })),
  loss: z.enum(LOSS_NAMES).optional(),
  madeFrom: z.object({ rows: z.int().positive(), digest: z.string() }).optional(),
})

function readSeries(text: string | undefined): SeriesFacts | undefined {
  try {
    return seriesFacts.parse(JSON.parse(text ?? ''))
  } catch {
    return undefined
  }
}
