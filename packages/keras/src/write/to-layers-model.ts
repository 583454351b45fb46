import type { Layer } from '@rowwise/models-rnn'
import { KerasUnsupportedError } from '../errors'
import type { LayersArtifacts } from '../read/source'
import { configOf, describeModel, type WrittenLayer } from './describe'
import { metadataOf, type WriteOptions } from './options'

/** What {@link toLayersArtifacts} gives. */
export interface WrittenArtifacts extends Required<LayersArtifacts> {
  /** The weights, one after the other, in one piece. */
  weightData: ArrayBuffer
}

/** What {@link toLayersModel} reads of `@tensorflow/tfjs` or `@tensorflow/tfjs-layers`. */
export interface LayersLoader<Model> {
  /** Its `loadLayersModel`. */
  // biome-ignore lint/suspicious/noExplicitAny: a handler, as tfjs types it
  loadLayersModel(handler: any): Promise<Model>
}

/**
 * A model as one of tf.layers, with its weights: to fit it there, or to save it for programs that read tf.layers.
 *
 * A GRU with its reset gate after the product, PyTorch's and Keras's default, needs `accelerate(tf)` of
 * `@rowwise/tfjs-layers` before.
 *
 * @param tf `@tensorflow/tfjs` or `@tensorflow/tfjs-layers`
 * @param model a network, a `Sequential`, or a layer
 * @throws {@link KerasUnsupportedError} where tf.layers has nothing for a layer.
 * @example
 * ```ts
 * const layersModel = await toLayersModel(tf, model)
 * await layersModel.save('downloads://model')
 * ```
 */
export async function toLayersModel<Model>(tf: LayersLoader<Model>, model: Layer): Promise<Model> {
  if (typeof tf?.loadLayersModel !== 'function')
    throw new KerasUnsupportedError('toLayersModel expects tfjs-layers first: toLayersModel(tf, model)')
  const artifacts = await toLayersArtifacts(model)
  try {
    return await tf.loadLayersModel({ load: async () => artifacts })
  } catch (cause) {
    if (!/reset_after/.test((cause as Error).message)) throw cause
    throw new KerasUnsupportedError(
      'tf.layers loads no GRU with reset_after; call accelerate(tf) of @rowwise/tfjs-layers before',
      { cause },
    )
  }
}

/**
 * The same as a description and weights: what `model.json` and its binary file hold.
 *
 * @throws {@link KerasUnsupportedError} where tf.layers has nothing for a layer.
 * @example
 * ```ts
 * const { modelTopology, weightSpecs, weightData } = await toLayersArtifacts(model)
 * ```
 */
export async function toLayersArtifacts(model: Layer, options: WriteOptions = {}): Promise<WrittenArtifacts> {
  const userDefinedMetadata = metadataOf('toLayersArtifacts', options)
  const { inputShape: batch_input_shape, layers } = await describeModel(model)
  const [first, ...others] = layers.map((layer) => configOf(layer, {}))
  const named = layers.flatMap((layer) =>
    layer.weights.flatMap(({ part, names, values }) =>
      names.map((name, at) => ({ name: `${scopeOf(layer, part)}/${name}`, ...values[at] })),
    ),
  )
  const weightData = new ArrayBuffer(4 * named.reduce((sum, { data }) => sum + data.length, 0))
  let at = 0
  for (const { data } of named) {
    new Float32Array(weightData, at, data.length).set(data)
    at += data.byteLength
  }
  return {
    modelTopology: {
      class_name: 'Sequential',
      config: { name: 'model', layers: [{ ...first, config: { ...first.config, batch_input_shape } }, ...others] },
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    },
    userDefinedMetadata,
    weightSpecs: named.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' })),
    weightData,
  }
}

function scopeOf({ name, inner }: WrittenLayer, part: string): string {
  return part === '' ? name : `${name}/${part}_${inner?.name}`
}
