import {
  describeValue,
  encodeSafetensors,
  fromFloat32,
  type Safetensor,
  type SafetensorsFile,
  showName,
  type WrittenDtype,
} from '@rowwise/safetensors'
import { classNameOf } from '../class-name'
import { ModuleOptionError, StateDictError } from '../errors'
import type { Module } from '../module'
import { RecurrentNet } from '../nets/recurrent-net'
import { oneOf, type Rules, readOptions, unchecked } from '../options'
import type { LoadStateDictOptions } from './load-options'
import { readFile } from './read-file'

/** How {@link save} writes. */
export interface SaveOptions {
  /** The element type. F16 and BF16 are rounded to the nearest and take half the room. @default 'F32' */
  dtype?: 'F32' | 'F16' | 'BF16'
  /** Free texts for the header, beside `format` and the model's `config`. */
  metadata?: Readonly<Record<string, string>>
}

const SAVE_RULES = {
  dtype: oneOf<'F32' | 'F16' | 'BF16'>('F32', 'F16', 'BF16'),
  metadata: unchecked<Readonly<Record<string, string>> | undefined>(),
} satisfies Rules<SaveOptions>

/**
 * A module's weights as a safetensors file, under PyTorch's names; the `config` of a {@link RecurrentNet} stands in the metadata.
 *
 * @throws {@link ModuleOptionError} for a wrong option, {@link StateDictError} when a weight is too large for F16,
 * {@link ModuleDisposedError} when the module was disposed.
 * @example
 * ```ts
 * await writeFile('model.safetensors', await save(model, { dtype: 'BF16' }))
 * ```
 */
export async function save(model: Module, options: SaveOptions = {}): Promise<Uint8Array> {
  requireModule('save', model)
  const { dtype, metadata } = readOptions('save', options, SAVE_RULES, 'save')
  const config = model instanceof RecurrentNet ? model.config : undefined
  const entries = Object.entries(model.stateDict()).map(async ([name, tensor]): Promise<[string, Safetensor]> => {
    const { shape } = tensor
    return [name, { dtype, shape, data: rounded(model, name, dtype, await tensor.data<'float32'>()) } as Safetensor]
  })
  return encodeSafetensors(Object.fromEntries(await Promise.all(entries)), {
    format: 'pt',
    ...metadata,
    ...(config !== undefined && { config: JSON.stringify(config) }),
  })
}

/**
 * Gives a module the weights of a safetensors file, as {@link Module.loadStateDict} does: without the prefixes of wrappers, renamed,
 * converted to float32. Everything is checked before anything changes.
 *
 * @param file its bytes, or what `decodeSafetensors` made of them
 * @returns the module
 * @throws {@link SafetensorsError} when it is not such a file, {@link StateDictError} when it does not fit, {@link ModuleOptionError}
 * for a wrong option.
 * @example
 * ```ts
 * const net = load(new Sequential(new LSTM(sizes), lastStep(), new Linear(features)), await readFile('model.safetensors'))
 * ```
 */
export function load<Model extends Module>(
  model: Model,
  file: Uint8Array | ArrayBuffer | SafetensorsFile,
  options: LoadStateDictOptions = {},
): Model {
  requireModule('load', model)
  model.loadStateDict(readFile('load', file).tensors, options)
  return model
}

function requireModule(caller: string, model: Module): void {
  if (typeof model?.stateDict === 'function' && typeof model.loadStateDict === 'function') return
  throw new ModuleOptionError(`${caller} got ${describeValue(model)}, expected a module first: ${caller}(model, …)`)
}

function rounded(model: Module, name: string, dtype: WrittenDtype, values: Float32Array): Safetensor['data'] {
  const data = fromFloat32(dtype, values)
  if (dtype !== 'F16') return data
  const at = data.findIndex((half, at) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[at]))
  if (at < 0) return data
  throw new StateDictError(
    `${showName(name)} of ${classNameOf(model)} has the weight ${values[at]}, F16 ends at 65504; save as BF16 or F32`,
  )
}
