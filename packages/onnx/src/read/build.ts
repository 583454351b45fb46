import {
  asNet,
  Embedding,
  finalHidden,
  GRU,
  Graph,
  type GraphNode,
  type Layer,
  LayerNorm,
  Linear,
  LSTM,
  lastStep,
  meanOverTime,
  ReLU,
  RNN,
  Sequential,
  Sigmoid,
  Softmax,
  type StateDict,
  Tanh,
} from '@rowwise/models-rnn'
import { OnnxError, OnnxUnsupportedError } from '../errors'
import { placeOfRows } from './merge'
import type { GraphReader } from './operator'
import type { Draft, RecurrentDraft, Value } from './values'

/** A layer of ours for each draft. */
export function buildModel(
  follower: GraphReader,
  outputs: readonly { name: string; value: Value }[],
  metadata: Readonly<Record<string, string>>,
): Layer {
  const { drafts } = follower
  const inputs = follower.inputs.map(({ name }) => name).filter((name) => name !== follower.lengths)
  const [first, ...others] = outputs.map(({ name, value }) => ({ name, place: placeOf(follower, name, value) }))
  const chain = chainOf(follower, first.place, inputs)
  if (chain) requireLengthsOfAll(follower)
  if (chain && others.length === 0) {
    const model = sequential(chain, drafts)
    return asNet(model, { dropout: dropoutOf(metadata) }) ?? model
  }
  const alone = chain?.length === 1 && drafts.get(chain[0])
  const states = [`${chain?.[0]}.hn`, `${chain?.[0]}.cn`]
  if (alone && alone.kind === 'recurrent' && others.every(({ place }, at) => place === states[at]))
    return layerOf(alone)
  const shown = (place: string): string => {
    const [name, ...state] = place.split('.')
    // An object would have whole numbers before all other names.
    return [titleOf(drafts, name).replace(/^\d+$/, 'layer_$&'), ...state].join('.')
  }
  const nodes = [...drafts].map(([name, draft]): [string, GraphNode] => {
    const initial = draft.kind === 'recurrent' ? initialOf(follower, name, draft) : undefined
    const states = initial && { h: shown(initial.h), ...(initial.c && { c: shown(initial.c) }) }
    const lengths = follower.lengths === undefined ? undefined : hasLengths(draft)
    return [
      shown(name),
      {
        ...{ layer: layerOf(draft), input: shown(draft.input) },
        ...(states && { initial: states }),
        ...(lengths !== undefined && { lengths }),
      },
    ]
  })
  return new Graph({
    inputs,
    nodes: Object.fromEntries(nodes),
    output: shown(first.place),
    outputs: Object.fromEntries(outputNames(others).map((name, at) => [name, shown(others[at].place)])),
  })
}

/** Whether a layer that reads steps is told their lengths; undefined of others. */
function hasLengths(draft: Draft): boolean | undefined {
  if (draft.kind === 'recurrent') return draft.lengths
  return draft.kind === 'last' || draft.kind === 'mean' ? draft.byLength === true : undefined
}

/** A `Sequential` tells lengths to all layers. A file may tell them to one, and take the last step of what is filled up. */
function requireLengthsOfAll({ drafts, lengths }: GraphReader): void {
  const [name] = [...drafts].find(([, draft]) => lengths !== undefined && hasLengths(draft) === false) ?? []
  if (name === undefined) return
  throw new OnnxUnsupportedError(
    `${name} reads all steps, also those past the end of a row, and another layer is told lengths; in Rowwise all layers are`,
  )
}

/** The name that a layer gets: that of the first, where several were put together. */
function titleOf(drafts: ReadonlyMap<string, Draft>, name: string): string {
  const draft = drafts.get(name)
  return draft?.kind === 'recurrent' ? (draft.title ?? name) : name
}

/**
 * The names of the outputs after the first one, which is `output`: PyTorch's for states, `hn` and `cn`, where one has
 * them; else the file's.
 */
function outputNames(outputs: readonly { name: string; place: string }[]): string[] {
  const usual = outputs.map(({ place }) => /\.(hn|cn)$/.exec(place)?.[1])
  const isOnce = (name: string | undefined): boolean => usual.indexOf(name) === usual.lastIndexOf(name)
  const taken = new Set(['output'])
  return outputs.map(({ name }, at) => {
    const state = usual[at]
    // The older exporter numbers what it was given no name for.
    const own = /^\d+$/.test(name) ? 'output' : name
    const base = state && (isOnce(state) || own !== name) ? state : own
    let free = base
    for (let count = 2; taken.has(free); count++) free = `${base}_${count}`
    taken.add(free)
    return free
  })
}

function placeOf(follower: GraphReader, name: string, value: Value): string {
  const tensor = follower.asTensor(value)
  const roles = tensor?.axes.map(({ role }) => role) ?? []
  const isUsual =
    roles.at(-1) === 'features' && !roles.some((role) => role === 'direction' || role === 'taken') && !tensor?.flat
  const isTimeFirst = follower.inputs.some(({ axes }) => axes[0]?.role === 'time')
  const isInOrder = follower.inputs.every(({ axes }) => {
    const places = tensor?.axes.map((axis) => axes.indexOf(axis)).filter((at) => at >= 0) ?? []
    return places.every((at, k) => k === 0 || at > places[k - 1])
  })
  if (tensor && isUsual && isInOrder && (roles.length < 3 || (roles[0] === 'time') === isTimeFirst)) return tensor.of
  const place = value.kind === 'rows' && value.form === 'stack' ? placeOfRows(follower, value.rows) : undefined
  if (place) return place
  throw new OnnxUnsupportedError(`the output '${name}' is not what a layer puts out, nor all final states of one`)
}

function initialOf(
  follower: GraphReader,
  name: string,
  { type, initial: { h, c } }: RecurrentDraft,
): GraphNode['initial'] {
  if (h === undefined && c === undefined) return undefined
  if (type === 'LSTM' && (h === undefined) !== (c === undefined))
    throw new OnnxUnsupportedError(`${name} is told one of its states, h and c, and begins the other with zeros`)
  const [hidden, cell] = [h, c].map((rows) => rows && placeOfRows(follower, rows))
  const isComplete = hidden !== undefined && (c === undefined || cell !== undefined)
  if (isComplete) return { h: hidden, ...(cell && { c: cell }) }
  throw new OnnxUnsupportedError(
    `the initial state of ${name} is neither zeros, a whole input, nor all final states of one layer`,
  )
}

/**
 * The layers between the only input and the output, if each reads the one before; undefined where it is more than a
 * chain.
 */
function chainOf({ drafts }: GraphReader, output: string, inputs: readonly string[]): string[] | undefined {
  if (inputs.length !== 1) return undefined
  const chain: string[] = []
  for (let place = output; place !== inputs[0]; ) {
    const name = place.endsWith('.final') ? place.slice(0, -'.final'.length) : place
    const draft = drafts.get(name)
    if (draft === undefined) return undefined
    if (draft.kind === 'recurrent' && (draft.initial.h || draft.initial.c)) return undefined
    if (place !== name) chain.unshift(place)
    chain.unshift(name)
    place = draft.input
  }
  const count = chain.filter((name) => !name.endsWith('.final')).length
  return count === drafts.size ? chain : undefined
}

function sequential(chain: readonly string[], drafts: ReadonlyMap<string, Draft>): Layer {
  const layers = chain.map((name): [string, Layer] => {
    const draft = drafts.get(name)
    if (draft) return [titleOf(drafts, name), layerOf(draft)]
    const of = name.slice(0, -'.final'.length)
    const recurrent = drafts.get(of) as RecurrentDraft
    // The same for one direction, and computed without the other steps.
    return [`${titleOf(drafts, of)}_final`, recurrent.layers[0].length === 1 ? lastStep() : finalHidden()]
  })
  // An object would have whole numbers before all other names.
  const isNumbered = layers.some(([name]) => /^\d+$/.test(name))
  return isNumbered ? new Sequential(...layers.map(([, layer]) => layer)) : new Sequential(Object.fromEntries(layers))
}

function layerOf(draft: Draft): Layer {
  switch (draft.kind) {
    case 'recurrent':
      return loaded(recurrentLayer(draft), draft.hint, recurrentState(draft))
    case 'linear': {
      const { weight, outFeatures, bias } = draft
      const inFeatures = weight.length / outFeatures
      return loaded(new Linear({ inFeatures, outFeatures, bias: bias !== undefined }), draft.hint, linearState(draft))
    }
    case 'embedding': {
      const [numEmbeddings, embeddingDim] = draft.dims
      return loaded(new Embedding({ numEmbeddings, embeddingDim }), draft.hint, {
        weight: { shape: draft.dims, data: draft.weight },
      })
    }
    case 'norm': {
      const { shape, eps, weight, bias } = draft
      const layer = new LayerNorm({
        normalizedShape: shape,
        eps,
        elementwiseAffine: weight !== undefined,
        bias: bias !== undefined,
      })
      return loaded(layer, draft.hint, {
        ...(weight && { weight: { shape, data: weight } }),
        ...(bias && { bias: { shape, data: bias } }),
      })
    }
    case 'last':
      return lastStep()
    case 'mean':
      return meanOverTime()
    case 'tanh':
      return new Tanh()
    case 'sigmoid':
      return new Sigmoid()
    case 'relu':
      return new ReLU()
    case 'softmax':
      return new Softmax()
  }
}

function recurrentLayer({
  type,
  layers,
  inputSize,
  hiddenSize,
  gateActivation,
  nonlinearity,
  resetAfter,
}: RecurrentDraft): Layer {
  const options = {
    ...{ inputSize, hiddenSize, numLayers: layers.length },
    ...{ bias: layers[0][0].biasIh !== undefined, bidirectional: layers[0].length === 2 },
  }
  if (type === 'LSTM') return new LSTM({ ...options, gateActivation })
  return type === 'GRU' ? new GRU({ ...options, gateActivation, resetAfter }) : new RNN({ ...options, nonlinearity })
}

function recurrentState({ layers, hiddenSize }: RecurrentDraft): StateDict {
  const state: Record<string, { shape: number[]; data: Float32Array }> = {}
  layers.forEach((directions, layer) => {
    directions.forEach(({ weightIh, weightHh, biasIh, biasHh }, side) => {
      const suffix = `l${layer}${side === 1 ? '_reverse' : ''}`
      const rows = weightHh.length / hiddenSize
      state[`weight_ih_${suffix}`] = { shape: [rows, weightIh.length / rows], data: weightIh }
      state[`weight_hh_${suffix}`] = { shape: [rows, hiddenSize], data: weightHh }
      if (biasIh) state[`bias_ih_${suffix}`] = { shape: [rows], data: biasIh }
      if (biasHh) state[`bias_hh_${suffix}`] = { shape: [rows], data: biasHh }
    })
  })
  return state
}

function linearState({ weight, outFeatures, bias }: Extract<Draft, { kind: 'linear' }>): StateDict {
  return {
    weight: { shape: [outFeatures, weight.length / outFeatures], data: weight },
    ...(bias && { bias: { shape: [outFeatures], data: bias } }),
  }
}

function loaded(layer: Layer, hint: string, state: StateDict): Layer {
  for (const { data } of Object.values(state) as { data: Float32Array }[])
    if (!data.every(Number.isFinite))
      throw new OnnxError(`the layer ${hint} has NaN or infinite weights, which nothing can be computed with`)
  layer.loadStateDict(state)
  return layer
}

/** The dropout of a network that we wrote, which no weight shows. */
function dropoutOf({ config }: Readonly<Record<string, string>>): number {
  try {
    const { dropout } = JSON.parse(config) as { dropout?: unknown }
    return typeof dropout === 'number' && dropout >= 0 && dropout < 1 ? dropout : 0
  } catch {
    return 0 // another program's, or none
  }
}
