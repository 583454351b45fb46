import { transposed } from '@rowwise/host-values/transposed'
import {
  Dropout,
  Embedding,
  FinalHidden,
  Graph,
  isStandard,
  LastStep,
  type Layer,
  LayerNorm,
  Linear,
  MeanOverTime,
  RecurrentLayer,
  ReLU,
  Sequential,
  Sigmoid,
  Softmax,
  Tanh,
} from '@rowwise/models-rnn'
import { toKerasLayout } from '@rowwise/rnn-kernels'
import { KerasUnsupportedError } from '../errors'
import type { Values } from '../hdf5'

/** A layer to be written. */
export interface WrittenLayer {
  className: string
  name: string
  config: Readonly<Record<string, unknown>>
  /** Whether it was frozen. */
  isFrozen?: boolean
  /** The weights by name, in Keras's order; those of a Bidirectional for each direction. */
  weights: readonly { part: 'forward' | 'backward' | ''; names: readonly string[]; values: readonly Values[] }[]
  /** The recurrent layer in a Bidirectional. */
  inner?: { className: string; name: string; config: Readonly<Record<string, unknown>> }
}

/** A chain of layers to be written, and what it reads. */
export interface WrittenModel {
  /** `[batch, time, features]`, of indices `[batch, time]`; null where a size is free. */
  inputShape: readonly (number | null)[]
  /** Indices are whole numbers. */
  inputType: 'float32' | 'int32'
  layers: readonly WrittenLayer[]
}

/**
 * Describes a model as Keras would.
 * @throws KerasUnsupportedError where Keras, or tf.layers, has nothing for a layer
 */
export async function describeModel(model: Layer): Promise<WrittenModel> {
  if (typeof model?.namedChildren !== 'function')
    throw new KerasUnsupportedError(
      `the model is ${model === null ? 'null' : typeof model}, expected a layer or a network`,
    )
  if ('maskValue' in model)
    throw new KerasUnsupportedError('the model masks its inputs, which is not written for Keras')
  const layers = pickedFirst(flattened(model))
  const written: WrittenLayer[] = []
  for (const [at, [name, layer]] of layers.entries()) {
    const [, next] = layers[at + 1] ?? []
    const isFrozen = layer.isFrozen && Object.keys(layer.parameters()).length > 0
    if (layer instanceof RecurrentLayer)
      written.push(...(await recurrentLayers(name, layer, next)).map((each) => ({ ...each, isFrozen })))
    else if (layer instanceof LastStep || layer instanceof FinalHidden) {
      if (!(layers[at - 1]?.[1] instanceof RecurrentLayer))
        throw new KerasUnsupportedError(`${name} does not follow a recurrent layer, which Keras wants`)
    } else written.push({ ...(await otherLayer(name, layer)), isFrozen })
  }
  const names = written.map(({ name }) => name)
  const wrong = names.find((name, at) => names.indexOf(name) < at || !/^[\w.-]+$/.test(name))
  if (wrong !== undefined) {
    throw new KerasUnsupportedError(
      `a layer would be called '${wrong}' in the file, twice or with a character that Keras does not read; rename it`,
    )
  }
  return { ...inputOf(layers.map(([, layer]) => layer)), layers: written }
}

/** Moves `lastStep()` before layers that treat each step alike: Keras picks the step in the recurrent layer. */
function pickedFirst<Entry extends readonly [name: string, layer: Layer]>(entries: readonly Entry[]): Entry[] {
  const layers = [...entries]
  for (const [at, entry] of entries.entries()) {
    if (!(entry[1] instanceof LastStep)) continue
    let place = at
    while (STEPWISE.some((kind) => layers[place - 1]?.[1] instanceof kind)) place--
    if (layers[place - 1]?.[1] instanceof RecurrentLayer) layers.splice(place, 0, ...layers.splice(at, 1))
  }
  return layers
}

/** Layers that do the same to each step. */
const STEPWISE = [Dropout, LayerNorm, Linear, ReLU, Sigmoid, Softmax, Tanh] as const

function inputOf(layers: readonly Layer[]): Pick<WrittenModel, 'inputShape' | 'inputType'> {
  for (const layer of layers) {
    if (layer instanceof Embedding) return { inputShape: [null, null], inputType: 'int32' }
    const size =
      layer instanceof RecurrentLayer ? layer.inputSize : layer instanceof Linear ? layer.inFeatures : undefined
    if (size === undefined) continue
    const hasSteps = layers.some((each) => each instanceof RecurrentLayer || each instanceof MeanOverTime)
    return { inputShape: hasSteps ? [null, null, size] : [null, size], inputType: 'float32' }
  }
  throw new KerasUnsupportedError('the model has no layer whose size says what it reads')
}

function flattened(layer: Layer, path: readonly string[] = []): (readonly [name: string, layer: Layer])[] {
  if (layer instanceof Graph)
    throw new KerasUnsupportedError('a Graph is not written: Keras gets a chain of layers, a Sequential or a network')
  if (!isStandard(layer))
    throw new KerasUnsupportedError(
      `${path.join('_') || 'the model'} is a ${layer.constructor.name} with its own forward, which is not written`,
    )
  if (!(layer instanceof Sequential)) {
    const name = path.length === 0 ? 'layer' : path.join('_')
    return [[/^\d/.test(name) ? `layer_${name}` : name, layer]]
  }
  return layer.namedChildren().flatMap(([name, child]) => flattened(child as Layer, [...path, name]))
}

async function recurrentLayers(name: string, layer: RecurrentLayer, next: Layer | undefined): Promise<WrittenLayer[]> {
  const { cell, numLayers, hiddenSize, bidirectional, projSize, dropout, bias, gateActivation } = layer
  if (projSize > 0) throw new KerasUnsupportedError(`${name} is an LSTM with projections, which Keras does not have`)
  if (bidirectional && next instanceof LastStep) {
    throw new KerasUnsupportedError(
      `${name} is bidirectional and lastStep() follows: Keras puts out the state after all steps there; use finalHidden()`,
    )
  }
  const isPicked = next instanceof LastStep || next instanceof FinalHidden
  const className = cell === 'lstm' ? 'LSTM' : cell.startsWith('gru') ? 'GRU' : 'SimpleRNN'
  const written: WrittenLayer[] = []
  for (let at = 0; at < numLayers; at++) {
    const own = at === 0 ? name : `${name}_l${at}`
    if (at > 0 && dropout > 0) written.push(plain('Dropout', `${own}_dropout`, { rate: dropout }))
    const config = {
      units: hiddenSize,
      activation: cell === 'rnn_relu' ? 'relu' : 'tanh',
      use_bias: bias,
      return_sequences: !(isPicked && at === numLayers - 1),
      return_state: false,
      go_backwards: false,
      stateful: false,
      unroll: false,
      dropout: 0,
      recurrent_dropout: 0,
      ...(className !== 'SimpleRNN' && { recurrent_activation: gateActivation }),
      ...(className === 'GRU' && { reset_after: cell === 'gru' }),
    }
    const parts = bidirectional ? (['forward', 'backward'] as const) : ([''] as const)
    const weights = await Promise.all(parts.map((part) => kerasWeights(layer, at, part)))
    if (!bidirectional) written.push({ className, name: own, config, weights })
    else {
      const inner = { className, name: `${own}_layer`, config }
      written.push({ className: 'Bidirectional', name: own, config: { merge_mode: 'concat' }, weights, inner })
    }
  }
  return written
}

async function kerasWeights(
  layer: RecurrentLayer,
  at: number,
  part: 'forward' | 'backward' | '',
): Promise<WrittenLayer['weights'][number]> {
  const { cell, hiddenSize, inputSize, bidirectional, bias: hasBias } = layer
  const state = layer.stateDict()
  const read = (name: string): Promise<Float32Array> =>
    state[`${name}_l${at}${part === 'backward' ? '_reverse' : ''}`].data<'float32'>()
  const { kernel, recurrentKernel, bias } = toKerasLayout(cell, hiddenSize, {
    weightIh: await read('weight_ih'),
    weightHh: await read('weight_hh'),
    ...(hasBias && { biasIh: await read('bias_ih'), biasHh: await read('bias_hh') }),
  })
  const rows = at === 0 ? inputSize : hiddenSize * (bidirectional ? 2 : 1)
  const columns = recurrentKernel.length / hiddenSize
  return {
    part,
    names: ['kernel', 'recurrent_kernel', ...(bias ? ['bias'] : [])],
    values: [
      { shape: [rows, columns], data: kernel },
      { shape: [hiddenSize, columns], data: recurrentKernel },
      ...(bias ? [{ shape: cell === 'gru' ? [2, columns] : [columns], data: bias }] : []),
    ],
  }
}

async function otherLayer(name: string, layer: Layer): Promise<WrittenLayer> {
  const state = layer.stateDict()
  const read = async (key: string): Promise<Values> => ({
    shape: state[key].shape,
    data: await state[key].data<'float32'>(),
  })
  if (layer instanceof Linear) {
    const { inFeatures, outFeatures } = layer
    const data = transposed(await state.weight.data<'float32'>(), outFeatures)
    const values = [{ shape: [inFeatures, outFeatures], data }, ...(state.bias ? [await read('bias')] : [])]
    const config = { units: outFeatures, activation: 'linear', use_bias: state.bias !== undefined }
    return {
      className: 'Dense',
      name,
      config,
      weights: [{ part: '', names: ['kernel', 'bias'].slice(0, values.length), values }],
    }
  }
  if (layer instanceof Embedding) {
    const config = { input_dim: layer.numEmbeddings, output_dim: layer.embeddingDim, mask_zero: false }
    return {
      className: 'Embedding',
      name,
      config,
      weights: [{ part: '', names: ['embeddings'], values: [await read('weight')] }],
    }
  }
  if (layer instanceof LayerNorm && layer.normalizedShape.length === 1) {
    const config = { axis: -1, epsilon: layer.eps, center: state.bias !== undefined, scale: state.weight !== undefined }
    const names = [...(state.weight ? ['gamma'] : []), ...(state.bias ? ['beta'] : [])]
    const values = await Promise.all(Object.keys(state).map(read))
    return { className: 'LayerNormalization', name, config, weights: [{ part: '', names, values }] }
  }
  if (layer instanceof Dropout) return plain('Dropout', name, { rate: layer.p })
  if (layer instanceof MeanOverTime) return plain('GlobalAveragePooling1D', name, {})
  for (const [kind, activation] of [
    [Tanh, 'tanh'],
    [Sigmoid, 'sigmoid'],
    [ReLU, 'relu'],
    [Softmax, 'softmax'],
  ] as const)
    if (layer instanceof kind) return plain('Activation', name, { activation })
  throw new KerasUnsupportedError(`${name} is a ${layer.constructor.name}, which is not written for Keras`)
}

function plain(className: string, name: string, config: Readonly<Record<string, unknown>>): WrittenLayer {
  return { className, name, config, weights: [] }
}

/** A layer as both kinds of files describe it; those of Keras 3 say more of each, which is `common`. */
export function configOf<Common extends object>(
  { className, name, config, inner, isFrozen = false }: WrittenLayer,
  common: Common,
): Common & { class_name: string; config: Readonly<Record<string, unknown>> } {
  const layer = inner && configOf({ ...inner, isFrozen, weights: [] }, common)
  return {
    ...common,
    class_name: className,
    config: { ...config, name, trainable: !isFrozen, ...(layer && { layer }) },
  }
}
