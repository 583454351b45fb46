import { readFile } from 'node:fs/promises'
import { decodeSafetensors, LSTMNet } from '@rowwise/models-rnn'
import { UsageError } from '../exit'

/** What a model needs to be used on new images; stands in the metadata of its safetensors file. */
export interface Preprocessing {
  /** Mean and standard deviation that pixels in [0, 1] were normalised with. */
  mean: number
  std: number
  /** One name per class. */
  classNames: readonly string[]
}

/** A model from a file; without `preprocessing` when the file is not one of ours. */
export interface LoadedModel {
  model: LSTMNet
  preprocessing?: Preprocessing
}

const METADATA_KEY = 'preprocessing'

/** The bytes of a weights file: the state dict under PyTorch's names, the rest as metadata. */
export function encodeWeights(model: LSTMNet, preprocessing: Preprocessing): Uint8Array {
  return model.toSafetensors({ [METADATA_KEY]: JSON.stringify(preprocessing) })
}

/** Reads a weights file, ours or PyTorch's. */
export async function loadWeights(path: string): Promise<LoadedModel> {
  const bytes = await readFile(path).catch((cause) => {
    throw new UsageError(`${path} cannot be read: ${cause.message}; pass a safetensors file as --weights`, { cause })
  })
  const file = named(path, () => decodeSafetensors(bytes))
  const model = named(path, () => LSTMNet.fromSafetensors(file))
  return { model, preprocessing: readPreprocessing(file.metadata[METADATA_KEY]) }
}

/** Says which file an error is about. */
function named<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new UsageError(`${path}: ${(cause as Error).message}`, { cause })
  }
}

function readPreprocessing(text: string | undefined): Preprocessing | undefined {
  try {
    const { mean, std, classNames } = JSON.parse(text ?? '')
    const valid = Number.isFinite(mean) && Number.isFinite(std) && std !== 0 && Array.isArray(classNames)
    return valid ? { mean, std, classNames: classNames.map(String) } : undefined
  } catch {
    return undefined // another program's metadata: the data set's own numbers serve
  }
}
