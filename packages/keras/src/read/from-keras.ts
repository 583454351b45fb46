import { isRowwiseError, refuseUnknownOptions } from '@rowwise/errors'
import { allOrNothing } from '@rowwise/host-values/all-or-nothing'
import { asNet, Graph, type GraphNode, type Layer, Sequential } from '@rowwise/models-rnn'
import { KerasError, KerasUnsupportedError } from '../errors'
import { MaskedSequential } from '../masked'
import { type Conversion, checkIsKeras, refusal } from './checks'
import { type ConvertedLayer, convertLayer, isRecurrent, picker, returnsSequences } from './layers'
import { maskOf, refuseMasks, withoutMaskOperations } from './masks'
import { type Reference, referencesOf } from './references'
import { type KerasSource, type LayerConfig, type LayersArtifacts, nameOf, readSource } from './source'
import { unstacked } from './stacked'

/** How {@link fromKeras} reads. */
export interface FromKerasOptions {
  /** Is called with a line for what is left out: dropout within a layer, for example. */
  onNote?: (note: string) => void
}

/**
 * A model of Keras or tf.layers as layers that train, save and run in the kernels: LSTM, GRU (both kinds) and
 * SimpleRNN, Bidirectional, Dense, Embedding, LayerNormalization, Dropout and activations, in a Sequential or a
 * functional model, and masks of the inputs.
 *
 * A recurrent layer with a Dense gives an `LSTMNet`, `GRUNet` or `RNNNet`; a chain of layers a `Sequential`; an encoder
 * with a decoder a `Graph`.
 *
 * @param source the bytes of a `.keras` or `.h5` file, or what `model.save` of tf.layers gives its handler
 * @throws {@link KerasError} when it is not a Keras model, {@link KerasUnsupportedError} when it has something that
 * Rowwise does not have.
 * @example
 * ```ts
 * const model = (await fromKeras(await readFile('model.keras'))).eval()
 * const outputs = model.forward(inputs) // [N, T, features] → [N, units]
 * ```
 */
export async function fromKeras(
  source: Uint8Array | ArrayBuffer | LayersArtifacts,
  options: FromKerasOptions = {},
): Promise<Layer> {
  refuseUnknownOptions('fromKeras', options, { onNote: true }, KerasUnsupportedError)
  const { onNote = () => {} } = options
  try {
    const read = await readSource(source)
    return allOrNothing(() => modelOf(read, onNote))
  } catch (cause) {
    if (cause instanceof KerasError || cause instanceof KerasUnsupportedError) throw cause
    // The file is wrong if a layer refuses it or something is missing in it. TensorFlow.js's own errors pass through.
    if (isRowwiseError(cause)) throw new KerasError(`the model cannot be built: ${cause.message}`, { cause })
    if (!(cause instanceof TypeError || cause instanceof RangeError || cause instanceof SyntaxError)) throw cause
    throw new KerasError("the model's description does not hold together: a layer lacks what Keras writes of it", {
      cause,
    })
  }
}

/**
 * The texts that {@link toKeras} or {@link toLayersArtifacts} wrote into a file; none in another program's.
 *
 * @throws {@link KerasError} when it is not a Keras model.
 * @example
 * ```ts
 * const { note } = await kerasMetadata(await readFile('model.keras'))
 * ```
 */
export async function kerasMetadata(
  source: Uint8Array | ArrayBuffer | LayersArtifacts,
): Promise<Readonly<Record<string, string>>> {
  return (await readSource(source)).metadata
}

function modelOf(read: KerasSource, onNote: (note: string) => void): Layer {
  const { class_name, config } = read.model
  if (!['Sequential', 'Functional', 'Model'].includes(class_name))
    throw new KerasUnsupportedError(`the model is a ${class_name}, expected Sequential or Functional`)
  checkIsKeras(config.name ?? 'model', read.model)
  const given = config.layers as readonly LayerConfig[] | undefined
  if (!Array.isArray(given) || given.length === 0) throw new KerasError('the model has no layers')
  const layers = withoutMaskOperations(given)
  const conversion = { source: read, onNote }
  const converted = convertAll(layers, conversion)
  return class_name === 'Sequential'
    ? chainOf(layers, converted, conversion)
    : functional(layers, converted, conversion)
}

/** Each layer as ours, by its name. */
function convertAll(layers: readonly LayerConfig[], conversion: Conversion): Map<string, ConvertedLayer | undefined> {
  const counts = new Map<string, number>()
  const ranks = new Map<string, number>()
  let before = shapeOf(layers[0])?.length ?? (layers[0].class_name === 'Embedding' ? 2 : 3)
  return new Map(
    layers.map((layer) => {
      const kind = snakeCase(layer.class_name)
      const count = counts.get(kind) ?? 0
      counts.set(kind, count + 1)
      const rank = (): number => {
        if (layer.class_name === 'InputLayer') return shapeOf(layer)?.length ?? before
        const [source] = layer.inbound_nodes?.length ? referencesOf(layer) : []
        return source ? (source[2] > 0 ? 2 : (ranks.get(source[0]) ?? 3)) : before
      }
      const converted = convertLayer(layer, count === 0 ? kind : `${kind}_${count}`, rank, conversion)
      const { config } = (layer.config.layer as LayerConfig | undefined) ?? layer
      if (layer.config.trainable === false || config.trainable === false) converted?.layer.requiresGrad(false)
      before = rankAfter(layer, rank())
      ranks.set(nameOf(layer), before)
      return [nameOf(layer), converted]
    }),
  )
}

/** What an input, or the first layer, says of the inputs: `[null, time, features]`. */
function shapeOf({ config: { batch_shape, batch_input_shape = batch_shape } }: LayerConfig): unknown[] | undefined {
  return Array.isArray(batch_input_shape) ? batch_input_shape : undefined
}

/** How many axes a layer puts out: all steps, or one state of each row. */
function rankAfter(layer: LayerConfig, rank: number): number {
  if (isRecurrent(layer)) return returnsSequences(layer) ? 3 : 2
  if (layer.class_name === 'GlobalAveragePooling1D') return 2
  return layer.class_name === 'Embedding' ? rank + 1 : rank
}

function chainOf(
  layers: readonly LayerConfig[],
  converted: ReadonlyMap<string, ConvertedLayer | undefined>,
  conversion: Conversion,
): Layer {
  const parts: Record<string, Layer> = {}
  const add = (name: string, layer: Layer): void => {
    // An object has whole numbers before all other names.
    let free = /^\d/.test(name) ? `layer_${name}` : name.replaceAll('.', '_')
    while (Object.hasOwn(parts, free)) free += '_'
    parts[free] = layer
  }
  for (const { name, layer, isFinal, activation } of unstacked(
    [...converted.values()].filter((each) => each !== undefined),
  )) {
    add(name, layer)
    if (isFinal) add(`${name}_final`, picker({ name, layer }))
    if (activation) add(`${name}_activation`, activation)
  }
  const mask = maskOf(layers, conversion)
  if (mask) return new MaskedSequential(parts, mask)
  const model = new Sequential(parts)
  return asNet(model) ?? model
}

function functional(
  layers: readonly LayerConfig[],
  converted: ReadonlyMap<string, ConvertedLayer | undefined>,
  conversion: Conversion,
): Layer {
  const { input_layers, output_layers } = conversion.source.model.config as {
    input_layers: unknown
    output_layers: unknown
  }
  const inputs = namesOf(input_layers).map(([name]) => name)
  const [output, ...more] = namesOf(output_layers)
  if (more.length > 0) throw new KerasUnsupportedError(`the model has ${more.length + 1} outputs, expected one`)
  const order = chained(layers, inputs, output)
  if (order)
    return chainOf(order, new Map(order.map((layer) => [nameOf(layer), converted.get(nameOf(layer))])), conversion)
  refuseMasks(layers)
  const nodes: Record<string, GraphNode> = {}
  const places = new Map<string, string>(inputs.map((name) => [name, name]))
  const kinds = new Map(layers.map((layer) => [nameOf(layer), layer.class_name]))
  /** Where a tensor comes from: as one that a layer reads, or as a state that it begins with. */
  const placeOf = ([name, , at]: Reference, names = ['final', 'finalCell']): string => {
    if (at === 0) return places.get(name) ?? name
    if (kinds.get(name) === 'Bidirectional') throw refusal(name, 'has states that are read one by one')
    return `${name}.${names[at - 1]}`
  }
  for (const layer of layers) {
    const found = converted.get(nameOf(layer))
    if (found === undefined) {
      const [source] = layer.inbound_nodes?.length ? referencesOf(layer) : []
      if (source) places.set(nameOf(layer), placeOf(source))
      continue
    }
    if (
      /^\d|\./.test(found.name) ||
      Object.hasOwn(nodes, `${found.name}_activation`) ||
      Object.hasOwn(nodes, found.name)
    )
      throw refusal(found.name, 'has a name that a graph cannot have; rename it')
    const [first, ...states] = referencesOf(layer)
    if (states.length > 0 && layer.class_name === 'Bidirectional')
      throw refusal(found.name, 'begins with states in both directions')
    const [h, c] = states.map((state) => placeOf(state, ['hn', 'cn']))
    nodes[found.name] = { layer: found.layer, input: placeOf(first), ...(h && { initial: { h, ...(c && { c }) } }) }
    let place = found.isFinal ? `${found.name}.final` : found.name
    if (found.activation) {
      nodes[`${found.name}_activation`] = { layer: found.activation, input: place }
      place = `${found.name}_activation`
    }
    places.set(found.name, place)
  }
  return new Graph({ inputs, nodes, output: placeOf(output) })
}

/** The layers from the input to the output where each reads the one before, and nothing else is there. */
function chained(
  layers: readonly LayerConfig[],
  inputs: readonly string[],
  output: Reference,
): LayerConfig[] | undefined {
  const known = new Map(layers.map((layer) => [nameOf(layer), layer]))
  const order: LayerConfig[] = []
  let name = output[0]
  if (output[2] !== 0) return undefined
  for (let layer = known.get(name); layer && layer.class_name !== 'InputLayer'; layer = known.get(name)) {
    order.unshift(layer)
    const references = referencesOf(layer)
    if (references.length !== 1 || references[0][2] !== 0) return undefined
    name = references[0][0]
  }
  return inputs.length === 1 && name === inputs[0] && order.length === layers.length - 1 ? order : undefined
}

/** `["x", 0, 0]`, or a list or an object of such. */
function namesOf(given: unknown): Reference[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : Object.values(given as object)
  return typeof list[0] === 'string' ? [list as unknown as Reference] : (list as Reference[])
}

/** `SimpleRNN` → `simple_rnn`, as Keras's files name layers. */
function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}
