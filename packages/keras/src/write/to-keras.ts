import type { Layer } from '@rowwise/models-rnn'
import { strToU8, zipSync } from 'fflate/browser'
import { KerasUnsupportedError } from '../errors'
import type { Values } from '../hdf5'
import { configOf, describeModel, type WrittenLayer } from './describe'
import { metadataOf, type WriteOptions } from './options'

/**
 * A model as a `.keras` file, which Keras 3 loads with any of its backends.
 *
 * @param model a network, a `Sequential`, or a layer
 * @returns the bytes of the file, the same for the same weights
 * @throws {@link KerasUnsupportedError} where Keras has nothing for a layer.
 * @example
 * ```ts
 * await writeFile('model.keras', await toKeras(model)) // keras.saving.load_model("model.keras")
 * ```
 */
export async function toKeras(model: Layer, options: WriteOptions = {}): Promise<Uint8Array> {
  const metadata = metadataOf('toKeras', options)
  const { inputShape, inputType, layers } = await describeModel(model)
  const hard = layers.find(({ config, inner }) => (inner?.config ?? config).recurrent_activation === 'hard_sigmoid')
  if (hard)
    throw new KerasUnsupportedError(
      `${hard.name} has hard_sigmoid gates, x/5 + 1/2, which Keras 3 does not have: its own are x/6 + 1/2`,
    )
  let inputName = 'input_layer'
  while (layers.some(({ name }) => name === inputName)) inputName += '_'
  const input = {
    module: 'keras.layers',
    class_name: 'InputLayer',
    config: {
      batch_shape: inputShape,
      dtype: inputType,
      sparse: false,
      name: inputName,
    },
    registered_name: null,
  }
  const config = {
    module: 'keras',
    class_name: 'Sequential',
    config: {
      name: 'sequential',
      trainable: true,
      dtype: 'float32',
      layers: [input, ...layers.map((layer) => configOf(layer, { module: 'keras.layers', registered_name: null }))],
      build_input_shape: inputShape,
    },
    registered_name: null,
    build_config: { input_shape: inputShape },
  }
  const { writeHdf5 } = await import('../hdf5')
  const files = {
    'metadata.json': strToU8(
      JSON.stringify({ keras_version: '3.0.0', date_saved: '1980-01-01@00:00:00', rowwise: metadata }),
    ),
    'config.json': strToU8(JSON.stringify(config)),
    'model.weights.h5': await writeHdf5(tensorsOf(layers)),
  }
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) })
}

/** The weights by their paths: Keras names each layer by its class and counts. */
function tensorsOf(layers: readonly WrittenLayer[]): Map<string, Values> {
  const tensors = new Map<string, Values>()
  const counts = new Map<string, number>()
  for (const { className, weights } of layers) {
    const kind = KINDS[className] ?? className.toLowerCase()
    const count = counts.get(kind) ?? 0
    counts.set(kind, count + 1)
    const path = `layers/${count === 0 ? kind : `${kind}_${count}`}`
    for (const { part, values } of weights) {
      const isCell = ['LSTM', 'GRU', 'SimpleRNN', 'Bidirectional'].includes(className)
      const inner = `${part === '' ? '' : `/${part}_layer`}${isCell ? '/cell' : ''}`
      for (const [at, each] of values.entries()) tensors.set(`${path}${inner}/vars/${at}`, each)
    }
  }
  return tensors
}

const KINDS: Readonly<Record<string, string>> = {
  SimpleRNN: 'simple_rnn',
  LayerNormalization: 'layer_normalization',
  GlobalAveragePooling1D: 'global_average_pooling1d',
}
