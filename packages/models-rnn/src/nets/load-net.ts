import type { SafetensorsFile } from '@rowwise/safetensors'
import type { LoadStateDictOptions } from '../state-dict/load-options'
import { readFile } from '../state-dict/read-file'
import { withoutWrappers } from '../state-dict/wrappers'
import { GRUNet } from './gru-net'
import { LSTMNet } from './lstm-net'
import type { RecurrentNet } from './recurrent-net'
import { RNNNet } from './rnn-net'

/**
 * The network that a safetensors file holds, {@link LSTMNet}, {@link GRUNet} or {@link RNNNet}, by the names of its tensors.
 *
 * @param file its bytes, or what `decodeSafetensors` made of them
 * @throws as {@link LSTMNet.fromSafetensors}, which a file of other names goes to.
 * @example
 * ```ts
 * const model = loadNet(await readFile('model.safetensors'))
 * ```
 */
export function loadNet(
  file: Uint8Array | ArrayBuffer | SafetensorsFile,
  options: LoadStateDictOptions = {},
): RecurrentNet {
  const decoded = readFile('loadNet', file)
  const targets = Object.values(options.rename ?? {})
  const names = [...Object.keys(decoded.tensors).map(withoutWrappers), ...targets.map((target) => `${target}.`)]
  const isOf = ({ kind }: { kind: { layer: string } }): boolean =>
    names.some((name) => name.startsWith(`${kind.layer}.`))
  if (isOf(GRUNet)) return GRUNet.fromSafetensors(decoded, options)
  return isOf(RNNNet) ? RNNNet.fromSafetensors(decoded, options) : LSTMNet.fromSafetensors(decoded, options)
}
