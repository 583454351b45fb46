import { isRowwiseError, refuseUnknownOptions } from '@rowwise/errors'
import { allOrNothing } from '@rowwise/host-values/all-or-nothing'
import type { Layer } from '@rowwise/models-rnn'
import { OnnxError, OnnxUnsupportedError } from '../errors'
import { buildModel } from './build'
import { type OnnxFile, readOnnxFile } from './file'
import { Follower } from './follow'
import { mergeLayers } from './merge'

/** How {@link fromOnnx} reads. */
export interface FromOnnxOptions {
  /** Is called with a line for what a person should know: that the file reads its steps first, for example. */
  onNote?: (note: string) => void
}

/**
 * The model in an ONNX file, as layers that train, save and run in the kernels: what PyTorch's exporters write for
 * `nn.LSTM`, `nn.GRU` and `nn.RNN` with what is around them, what tf2onnx writes for Keras's LSTM and GRU, and the
 * networks, recurrent layers and graphs of them that {@link toOnnx} writes.
 *
 * A recurrent layer with its last step and a linear layer gives an `LSTMNet`, `GRUNet` or `RNNNet`; a chain of layers a
 * `Sequential`; a layer with its states `[output, hn, cn]` that layer; everything else, such as initial states, a
 * `Graph`.
 *
 * @param bytes of the file
 * @throws {@link OnnxError} when they are not an ONNX model, {@link OnnxUnsupportedError} when it has operations that
 * Rowwise does not have, which the error lists.
 * @example
 * ```ts
 * const model = fromOnnx(await readFile('model.onnx'))
 * const logits = model.forward(inputs) // [N, T, features] → [N, classes]
 * ```
 */
export function fromOnnx(bytes: Uint8Array | ArrayBuffer, options: FromOnnxOptions = {}): Layer {
  refuseUnknownOptions('fromOnnx', options, { onNote: true }, OnnxUnsupportedError)
  const file = readOnnxFile(bytesOf('fromOnnx', bytes))
  try {
    return allOrNothing(() => modelOf(file, options))
  } catch (cause) {
    if (cause instanceof OnnxError || cause instanceof OnnxUnsupportedError) throw cause
    // The file is wrong if a layer refuses it or something is missing in it. TensorFlow.js's own errors pass through.
    if (isRowwiseError(cause)) throw new OnnxError(`the model cannot be built: ${cause.message}`, { cause })
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause
    throw new OnnxError('the graph of the model does not hold together: its operations do not fit each other', {
      cause,
    })
  }
}

function modelOf(file: OnnxFile, { onNote }: FromOnnxOptions): Layer {
  const follower = new Follower(file)
  const outputs = follower.outputs()
  mergeLayers(
    follower,
    outputs.map(({ value }) => value),
  )
  if (follower.inputs.some(({ axes }) => axes[0]?.role === 'time'))
    onNote?.('the file reads [time, batch, features]; the model reads and puts out [batch, time, features]')
  if (follower.lengths !== undefined)
    onNote?.(`the file's input '${follower.lengths}' has the lengths of the rows: call forward({ inputs, lengths })`)
  return buildModel(follower, outputs, file.metadata)
}

/**
 * The texts in an ONNX file's metadata; a network that {@link toOnnx} wrote has its `config` there.
 *
 * @throws {@link OnnxError} when the bytes are not an ONNX model.
 * @example
 * ```ts
 * const { config } = onnxMetadata(await readFile('model.onnx'))
 * ```
 */
export function onnxMetadata(bytes: Uint8Array | ArrayBuffer): Readonly<Record<string, string>> {
  return readOnnxFile(bytesOf('onnxMetadata', bytes)).metadata
}

function bytesOf(caller: string, bytes: Uint8Array | ArrayBuffer): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes)
  throw new OnnxError(`${caller} got ${bytes === null ? 'null' : typeof bytes}, expected the bytes of an ONNX file`)
}
