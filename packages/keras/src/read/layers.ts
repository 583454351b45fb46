import { transposed } from '@rowwise/host-values/transposed'
import {
  type Cell,
  Dropout,
  Embedding,
  finalHidden,
  type GateActivation,
  GRU,
  type Layer,
  LayerNorm,
  Linear,
  LSTM,
  lastStep,
  meanOverTime,
  ReLU,
  RNN,
  Sigmoid,
  Softmax,
  type StateDict,
  Tanh,
} from '@rowwise/models-rnn'
import { fromKerasLayout } from '@rowwise/rnn-kernels'
import { KerasError } from '../errors'
import type { Values } from '../hdf5'
import { type Conversion, checkLayer, refusal, requireUsual } from './checks'
import type { LayerConfig } from './source'

/** A layer of Keras's as ours: the layer, and what comes after it. */
export interface ConvertedLayer {
  name: string
  layer: Layer
  /** Whether only the state after the last step is put out. */
  isFinal?: boolean
  /** A function of the outputs. */
  activation?: Layer
}

/**
 * Converts a layer, whose inputs have `rank()` axes. Undefined for one that changes nothing.
 *
 * @throws KerasUnsupportedError for what Rowwise does not have
 */
export function convertLayer(
  given: LayerConfig,
  serial: string,
  rank: () => number,
  conversion: Conversion,
): ConvertedLayer | undefined {
  const { config, class_name } = given
  const name = given.name ?? config.name ?? serial
  const { source } = conversion
  checkLayer(name, given, conversion)
  switch (class_name) {
    case 'InputLayer':
    case 'Masking':
      return undefined
    case 'LSTM':
    case 'GRU':
    case 'SimpleRNN':
      return recurrent(name, given, [source.weights(given, serial, '')], conversion)
    case 'Bidirectional': {
      const inner = config.layer as LayerConfig
      if (config.merge_mode !== 'concat') throw refusal(name, `has merge_mode ${config.merge_mode}, Rowwise has concat`)
      const backward = config.backward_layer as LayerConfig | null | undefined
      const differs = [
        'units',
        'activation',
        'recurrent_activation',
        'reset_after',
        'use_bias',
        'return_sequences',
      ].find((option) => backward && JSON.stringify(backward.config[option]) !== JSON.stringify(inner.config[option]))
      if (differs || (backward && backward.class_name !== inner.class_name))
        throw refusal(
          name,
          `has another layer backwards (${differs ?? 'its class'}), Rowwise has the same in both directions`,
        )
      const sides = (['forward', 'backward'] as const).map((part) => source.weights(given, serial, part))
      return recurrent(name, inner, sides, conversion)
    }
    case 'TimeDistributed': {
      const inner = config.layer as LayerConfig
      if (inner.class_name === 'Dense') return dense(name, inner, source.weights(given, serial, ''))
      // These have no weights, and do the same to each step.
      if (['Dropout', 'Activation'].includes(inner.class_name))
        return convertLayer({ ...inner, name }, serial, rank, conversion)
      throw refusal(name, `wraps a ${inner.class_name}, Rowwise has TimeDistributed(Dense)`)
    }
    case 'Dense':
      return dense(name, given, source.weights(given, serial, ''))
    case 'Embedding': {
      const [weight] = weightsOf(name, source.weights(given, serial, ''), 1)
      const [numEmbeddings, embeddingDim] = weight.shape
      return { name, layer: loaded(name, new Embedding({ numEmbeddings, embeddingDim }), { weight }) }
    }
    case 'LayerNormalization':
      requireUsual(name, config, { rms_scaling: false })
      return { name, layer: layerNorm(name, config, source.weights(given, serial, ''), rank()) }
    case 'GlobalAveragePooling1D':
      requireUsual(name, config, { data_format: 'channels_last', keepdims: false })
      return { name, layer: meanOverTime() }
    case 'Dropout':
      return { name, layer: new Dropout({ p: config.rate as number }) }
    case 'SpatialDropout1D':
    case 'GaussianNoise':
    case 'GaussianDropout':
      conversion.onNote(`${name} is a ${class_name}, which changes training alone, and is left out`)
      return undefined
    case 'Activation':
    case 'Softmax':
    case 'ReLU': {
      const axis = config.axis === rank() - 1 ? -1 : config.axis
      requireUsual(name, { ...config, axis }, { max_value: null, negative_slope: 0, threshold: 0, axis: -1 })
      const layer = activationOf(name, class_name === 'Activation' ? config.activation : class_name.toLowerCase())
      return layer && { name, layer }
    }
    default:
      throw refusal(
        name,
        `is of the class ${class_name}, which Rowwise does not have; it reads LSTM, GRU, SimpleRNN, Bidirectional, TimeDistributed(Dense), Dense, Embedding, Masking, LayerNormalization, GlobalAveragePooling1D, Dropout, SpatialDropout1D, GaussianNoise, GaussianDropout, Activation, Softmax and ReLU`,
      )
  }
}

function recurrent(
  name: string,
  { class_name, config }: LayerConfig,
  sides: readonly (readonly Values[])[],
  conversion: Conversion,
): ConvertedLayer {
  const type = class_name as 'LSTM' | 'GRU' | 'SimpleRNN'
  if (!['LSTM', 'GRU', 'SimpleRNN'].includes(type)) throw refusal(name, `wraps a ${class_name}`)
  if (config.go_backwards) throw refusal(name, 'reads backwards only (go_backwards)')
  if (config.time_major) throw refusal(name, 'is time_major')
  if (config.stateful) conversion.onNote(`${name} is stateful; here every batch begins with zeros`)
  for (const which of ['dropout', 'recurrent_dropout'])
    if ((config[which] as number) > 0)
      conversion.onNote(`${name} has ${which} ${config[which]} in training, which is left out`)
  const cell = cellOf(name, type, config)
  const gateActivation = type === 'SimpleRNN' ? undefined : gateOf(name, config, conversion.source.version)
  const useBias = config.use_bias !== false
  const weights = sides.map((side) => weightsOf(name, side, useBias ? 3 : 2))
  const [{ shape }] = weights[0]
  const hiddenSize = config.units as number
  const options = { inputSize: shape[0], hiddenSize, bias: useBias, bidirectional: sides.length === 2 }
  const layer = newLayer(cell, options, gateActivation)
  const state: Record<string, { shape: number[]; data: Float32Array }> = {}
  weights.forEach(([kernel, recurrentKernel, bias], side) => {
    const columns = kernel.shape[1]
    const found = fromKerasLayout(cell, hiddenSize, {
      kernel: kernel.data,
      recurrentKernel: recurrentKernel.data,
      ...(bias && { bias: bias.data }),
    })
    const suffix = side === 1 ? '_reverse' : ''
    state[`weight_ih_l0${suffix}`] = { shape: [columns, kernel.shape[0]], data: found.weightIh }
    state[`weight_hh_l0${suffix}`] = { shape: [columns, hiddenSize], data: found.weightHh }
    if (found.biasIh) state[`bias_ih_l0${suffix}`] = { shape: [columns], data: found.biasIh }
    if (found.biasHh) state[`bias_hh_l0${suffix}`] = { shape: [columns], data: found.biasHh }
  })
  return { name, layer: loaded(name, layer, state), isFinal: !config.return_sequences }
}

/** A recurrent layer of a cell. */
export function newLayer(
  cell: Cell,
  options: {
    inputSize: number
    hiddenSize: number
    bias: boolean
    bidirectional: boolean
    numLayers?: number
    dropout?: number
  },
  gateActivation?: GateActivation,
): Layer {
  if (cell === 'lstm') return new LSTM({ ...options, gateActivation })
  if (cell === 'rnn_tanh' || cell === 'rnn_relu')
    return new RNN({ ...options, nonlinearity: cell === 'rnn_relu' ? 'relu' : 'tanh' })
  return new GRU({ ...options, gateActivation, resetAfter: cell === 'gru' })
}

function cellOf(name: string, type: 'LSTM' | 'GRU' | 'SimpleRNN', config: LayerConfig['config']): Cell {
  const { activation } = config
  if (type === 'SimpleRNN' && activation === 'relu') return 'rnn_relu'
  if (activation !== 'tanh') throw refusal(name, `has the activation ${JSON.stringify(activation)}`)
  if (type === 'SimpleRNN') return 'rnn_tanh'
  if (type === 'LSTM') return 'lstm'
  return config.reset_after === true ? 'gru' : 'gru_reset_before'
}

function gateOf(name: string, { recurrent_activation: given }: LayerConfig['config'], version: number): GateActivation {
  if (given === 'sigmoid') return 'sigmoid'
  // Keras 3's is x/6 + 1/2, clipped; that of the kernels, of Keras 2 and tfjs is x/5 + 1/2.
  if ((given === 'hard_sigmoid' || given === 'hardSigmoid') && version < 3) return 'hard_sigmoid'
  throw refusal(
    name,
    `has the recurrent_activation ${JSON.stringify(given)}${given === 'hard_sigmoid' ? ' of Keras 3' : ''}`,
  )
}

function dense(name: string, { config }: LayerConfig, values: readonly Values[]): ConvertedLayer {
  const useBias = config.use_bias !== false
  const [kernel, bias] = weightsOf(name, values, useBias ? 2 : 1)
  const [inFeatures, outFeatures] = kernel.shape
  const data = transposed(kernel.data, inFeatures)
  const layer = new Linear({ inFeatures, outFeatures, bias: useBias })
  const state = { weight: { shape: [outFeatures, inFeatures], data }, ...(bias && { bias }) }
  const activation = activationOf(name, config.activation)
  return { name, layer: loaded(name, layer, state), ...(activation && { activation }) }
}

function layerNorm(name: string, config: LayerConfig['config'], values: readonly Values[], rank: number): Layer {
  const { axis = -1, epsilon = 1e-3, center = true, scale = true } = config as Record<string, unknown>
  const given = [...weightsOf(name, values, Number(Boolean(center)) + Number(Boolean(scale)))]
  const gamma = scale ? given.shift() : undefined
  const beta = center ? given.shift() : undefined
  const last = Array.isArray(axis) ? axis : [axis]
  const size = (gamma ?? beta)?.shape
  if (size === undefined) throw refusal(name, 'has neither center nor scale, so nothing says what size it has')
  if (last.length !== 1 || (last[0] !== -1 && last[0] !== rank - 1) || size.length !== 1)
    throw refusal(name, `normalises over the axes ${JSON.stringify(axis)}, Rowwise reads the last one`)
  const layer = new LayerNorm({ normalizedShape: size[0], eps: epsilon as number, bias: beta !== undefined })
  const weight = gamma ?? { shape: size, data: new Float32Array(size[0]).fill(1) }
  return loaded(name, layer, { weight, ...(beta && { bias: beta }) })
}

/** The layer for one of Keras's activations; undefined for the identity. */
function activationOf(name: string, given: unknown): Layer | undefined {
  switch (given) {
    case undefined:
    case null:
    case 'linear':
      return undefined
    case 'tanh':
      return new Tanh()
    case 'sigmoid':
      return new Sigmoid()
    case 'relu':
      return new ReLU()
    case 'softmax':
      return new Softmax()
    default:
      throw refusal(name, `has the activation ${JSON.stringify(given)}`)
  }
}

function weightsOf(name: string, values: readonly Values[], count: number): readonly Values[] {
  if (values.length === count) return values
  throw new KerasError(`${name} has ${values.length} weights in the file, expected ${count}`)
}

function loaded(name: string, layer: Layer, state: StateDict): Layer {
  for (const { data } of Object.values(state) as { data: Float32Array }[])
    if (!data.every(Number.isFinite))
      throw new KerasError(`the layer ${name} has NaN or infinite weights, which nothing can be computed with`)
  layer.loadStateDict(state)
  return layer
}

/** Whether it runs over the steps, also as a Bidirectional. */
export function isRecurrent({ class_name }: LayerConfig): boolean {
  return ['LSTM', 'GRU', 'SimpleRNN', 'Bidirectional'].includes(class_name)
}

/** Whether a recurrent layer puts out all steps, not only the last. */
export function returnsSequences({ config }: LayerConfig): boolean {
  const { return_sequences } = (config.layer as LayerConfig | undefined)?.config ?? config
  return return_sequences === true
}

/** What takes the state after the last step of a recurrent layer. */
export function picker({ layer }: ConvertedLayer): Layer {
  return (layer as LSTM).bidirectional ? finalHidden() : lastStep()
}
