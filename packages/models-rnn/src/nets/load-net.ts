import { GATES } from '@rowwise/rnn-kernels'
import type { SafetensorsFile } from '@rowwise/safetensors'
import { checkLoadOptions, LOAD_OPTIONS, type LoadStateDictOptions } from '../state-dict/load-options'
import { readFile } from '../state-dict/read-file'
import { withoutWrappers } from '../state-dict/wrappers'
import { GRUNet } from './gru-net'
import { LSTMNet } from './lstm-net'
import type { RecurrentNet } from './recurrent-net'
import { RNNNet } from './rnn-net'

/**
 * The network that a safetensors file holds: {@link LSTMNet}, {@link GRUNet} or {@link RNNNet}. The names of the tensors
 * decide, else the shape of the hidden weights.
 *
 * @param file its bytes, or what `decodeSafetensors` made of them
 * @throws as {@link LSTMNet.fromSafetensors}, with the rename that fits.
 * @example
 * ```ts
 * const model = loadNet(await readFile('model.safetensors'))
 * ```
 */
export function loadNet(
  file: Uint8Array | ArrayBuffer | SafetensorsFile,
  options: LoadStateDictOptions = {},
): RecurrentNet {
  checkLoadOptions('loadNet', options, LOAD_OPTIONS)
  const decoded = readFile('loadNet', file)
  const targets = Object.values(options.rename ?? {})
  const names = [...Object.keys(decoded.tensors).map(withoutWrappers), ...targets.map((target) => `${target}.`)]
  const nets = [GRUNet, RNNNet, LSTMNet]
  const named = nets.find(({ kind }) => names.some((name) => name.startsWith(`${kind.layer}.`)))
  // Of other names, the cell is known by its gates: the error then tells the rename that helps.
  const hidden = Object.entries(decoded.tensors).find(([name]) => /(^|\.)weight_hh_l0$/.test(name))?.[1].shape ?? []
  const shaped = nets.find(({ kind }) => GATES[kind.cell] === hidden[0] / hidden[1])
  return (named ?? shaped ?? LSTMNet).fromSafetensors(decoded, options)
}
