import { readFile } from 'node:fs/promises'
import { reasonOf } from '@rowwise/errors'
import { decodeSafetensors, loadNet, type RecurrentNet, save } from '@rowwise/models-rnn'
import { z } from 'zod'
import { UsageError } from '../exit'
import { inOptions } from '../show/in-options'
import type { Preprocessing } from './preprocessing'
import type { SeriesFacts } from './series-task'

/** A model from a file, with what it is for: images, or a time series; neither when the file is not one of ours. */
export interface LoadedModel {
  model: RecurrentNet
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

/** Reads a weights file, ours or PyTorch's; what a person should know about it is said on standard error, a line each, unless not `isTold`. */
export async function loadWeights({ weights: path, rename }: WeightsFlags, isTold = true): Promise<LoadedModel> {
  if (path === undefined) throw new UsageError('which weights? pass a safetensors file as --weights')
  const bytes = await readFile(path).catch((cause) => {
    throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}; pass a safetensors file as --weights`, { cause })
  })
  const file = named(path, () => decodeSafetensors(bytes))
  const onNote = (note: string): void => {
    if (isTold) console.error(`rowwise: ${path}: ${note}`)
  }
  const model = named(path, () => loadNet(file, { rename, onNote }))
  const text = file.metadata[METADATA_KEY]
  return { model, preprocessing: readPreprocessing(text), series: readSeries(text) }
}

/** Says which file an error is about. */
function named<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new UsageError(`${path}: ${inOptions((cause as Error).message)}`, { cause })
  }
}

function readPreprocessing(text: string | undefined): Preprocessing | undefined {
  try {
    const { mean, std, classNames, variant } = JSON.parse(text ?? '')
    const valid = Number.isFinite(mean) && Number.isFinite(std) && std !== 0 && Array.isArray(classNames)
    return valid ? { mean, std, classNames: classNames.map(String), variant: variant && String(variant) } : undefined
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
})

function readSeries(text: string | undefined): SeriesFacts | undefined {
  try {
    return seriesFacts.parse(JSON.parse(text ?? ''))
  } catch {
    return undefined
  }
}
