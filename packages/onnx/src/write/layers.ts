import { transposed } from '@rowwise/host-values/transposed'
import {
  Dropout,
  Embedding,
  FinalHidden,
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
import { OnnxUnsupportedError } from '../errors'
import type { Dim, GraphWriter } from './graph-writer'
import { type RecurrentValues, writeRecurrent } from './recurrent'

/** A value in a graph, and its axes; of a recurrent layer its states too. */
export interface Written {
  value: string
  dims: readonly Dim[]
  states?: RecurrentValues
}

/** The layers of a model, one after the other, those of a Sequential within it too. */
export function flattened(layer: Layer, path = ''): (readonly [name: string, layer: Layer])[] {
  if (!isStandard(layer) && !('maskValue' in layer))
    throw new OnnxUnsupportedError(
      `${path || 'the model'} is a ${layer.constructor.name} with its own forward, which is not written`,
    )
  if (!(layer instanceof Sequential)) return [[path || 'layer', layer]]
  return layer
    .namedChildren()
    .flatMap(([name, child]) => flattened(child as Layer, path === '' ? name : `${path}.${name}`))
}

/** What a chain of layers reads. */
export function inputOf(layers: readonly (readonly [string, Layer])[]): { type: 'float' | 'int64'; dims: Dim[] } {
  const [, first] = layers.find(([, layer]) => sizeOf(layer) !== undefined) ?? ['', undefined]
  if (first instanceof Embedding) return { type: 'int64', dims: ['batch', 'time'] }
  const hasSteps = layers.some(
    ([, layer]) => layer instanceof RecurrentLayer || layer instanceof MeanOverTime || layer instanceof LastStep,
  )
  const size = (first && sizeOf(first)) ?? 'features'
  // A norm of several axes fixes them all but the last, which a layer before it may change.
  const norm = layers.map(([, layer]) => layer).find((layer) => layer instanceof LayerNorm && layer.normalizedShape[1])
  const between = norm instanceof LayerNorm ? norm.normalizedShape.slice(0, -1) : hasSteps ? ['time' as const] : []
  return { type: 'float', dims: ['batch', ...between, size] }
}

function sizeOf(layer: Layer): number | undefined {
  if (layer instanceof RecurrentLayer) return layer.inputSize
  if (layer instanceof Linear) return layer.inFeatures
  if (layer instanceof Embedding) return layer.embeddingDim
  return layer instanceof LayerNorm ? layer.normalizedShape.at(-1) : undefined
}

/** Writes one layer. @throws OnnxUnsupportedError where ONNX, or this writer, has nothing for it */
export async function writeLayer(
  writer: GraphWriter,
  name: string,
  layer: Layer,
  input: Written,
  lengths: string | undefined,
): Promise<Written> {
  const { dims } = input
  if (layer instanceof FinalHidden) return { value: statesOf(name, input).final(), dims: [dims[0], dims[2]] }
  const value = input.states ? input.states.output() : input.value
  const rest = dims.slice(0, -1)
  if (layer instanceof RecurrentLayer) {
    const states = await writeRecurrent(writer, name, layer, value, { lengths })
    return { value: '', dims: [...rest, layer.outputSize], states }
  }
  if (layer instanceof Dropout) return { value, dims } // in evaluation
  if (layer instanceof LastStep) return { value: writeLastStep(writer, name, value, lengths), dims: [dims[0], dims[2]] }
  if (layer instanceof MeanOverTime) return { value: writeMean(writer, name, value, lengths), dims: [dims[0], dims[2]] }
  if (layer instanceof Linear)
    return { value: await writeLinear(writer, name, layer, value, dims.length), dims: [...rest, layer.outFeatures] }
  if (layer instanceof Embedding) {
    const { numEmbeddings, embeddingDim } = layer
    const vectors = await layer.stateDict().weight.data<'float32'>()
    const weight = writer.floats(`${name}.weight`, [numEmbeddings, embeddingDim], vectors)
    return {
      value: writer.one('Gather', `${name}.vectors`, [weight, value], { axis: 0 }),
      dims: [...dims, embeddingDim],
    }
  }
  if (layer instanceof LayerNorm) return { value: await writeNorm(writer, name, layer, value), dims }
  const activation = activationOf(layer)
  if (activation)
    return { value: writer.one(activation, `${name}.y`, [value], activation === 'Softmax' ? { axis: -1 } : {}), dims }
  throw new OnnxUnsupportedError(
    `${name} is a ${layer.constructor.name}, which toOnnx does not write; it writes LSTM, GRU, RNN, Linear, Embedding, LayerNorm, Dropout, lastStep(), finalHidden(), meanOverTime(), Tanh, Sigmoid, ReLU and Softmax`,
  )
}

function statesOf(name: string, { states }: Written): RecurrentValues {
  if (states) return states
  throw new OnnxUnsupportedError(`${name}, finalHidden(), does not follow a recurrent layer`)
}

function activationOf(layer: Layer): string | undefined {
  if (layer instanceof Tanh) return 'Tanh'
  if (layer instanceof Sigmoid) return 'Sigmoid'
  if (layer instanceof ReLU) return 'Relu'
  return layer instanceof Softmax ? 'Softmax' : undefined
}

/** The step of each row, `[N, T, F]` → `[N, F]`: the last, or by its length. */
function writeLastStep(writer: GraphWriter, name: string, value: string, lengths: string | undefined): string {
  if (!lengths) return writer.one('Gather', `${name}.step`, [value, writer.integers(-1)], { axis: 1 })
  const last = writer.one('Sub', `${name}.index`, [lengths, writer.integers(1, 'int32')])
  const wide = writer.one('Cast', `${name}.index`, [last], { to: 7 })
  const index = writer.one('Unsqueeze', `${name}.index`, [wide, writer.integers([1])])
  return writer.one('GatherND', `${name}.step`, [value, index], { batch_dims: 1 })
}

/** The mean of each row's steps, `[N, T, F]` → `[N, F]`: of all, or by its length, past which there may be NaN. */
function writeMean(writer: GraphWriter, name: string, value: string, lengths: string | undefined): string {
  const over = { keepdims: 0 }
  if (!lengths && writer.opset < 18) return writer.one('ReduceMean', `${name}.mean`, [value], { axes: [1], ...over })
  const steps = writer.integers([1])
  if (!lengths) return writer.one('ReduceMean', `${name}.mean`, [value, steps], over)
  const time = writer.one('Squeeze', `${name}.time`, [
    writer.one('Shape', `${name}.time`, [value], { start: 1, end: 2 }),
  ])
  const places = writer.one('Range', `${name}.places`, [writer.integers(0), time, writer.integers(1)])
  const counts = writer.one('Unsqueeze', `${name}.counts`, [lengths, steps])
  const wide = writer.one('Cast', `${name}.counts`, [counts], { to: 7 })
  const mask = writer.one('Unsqueeze', `${name}.mask`, [
    writer.one('Less', `${name}.mask`, [places, wide]),
    writer.integers([2]),
  ])
  const kept = writer.one('Where', `${name}.kept`, [mask, value, writer.floats('zero', [], new Float32Array(1))])
  const total = writer.one('ReduceSum', `${name}.total`, [kept, steps], over)
  return writer.one('Div', `${name}.mean`, [total, writer.one('Cast', `${name}.counts`, [counts], { to: 1 })])
}

async function writeLinear(
  writer: GraphWriter,
  name: string,
  layer: Linear,
  value: string,
  rank: number,
): Promise<string> {
  const { inFeatures, outFeatures } = layer
  const state = layer.stateDict()
  const weight = await state.weight.data<'float32'>()
  const bias = state.bias && writer.floats(`${name}.bias`, [outFeatures], await state.bias.data<'float32'>())
  if (rank === 2) {
    const inputs = [value, writer.floats(`${name}.weight`, [outFeatures, inFeatures], weight), ...(bias ? [bias] : [])]
    return writer.one('Gemm', `${name}.y`, inputs, { transB: 1 })
  }
  const product = writer.one('MatMul', `${name}.product`, [
    value,
    writer.floats(`${name}.weight`, [inFeatures, outFeatures], transposed(weight, outFeatures)),
  ])
  return bias ? writer.one('Add', `${name}.y`, [product, bias]) : product
}

async function writeNorm(writer: GraphWriter, name: string, layer: LayerNorm, value: string): Promise<string> {
  const { normalizedShape, eps } = layer
  const state = layer.stateDict()
  const size = normalizedShape.reduce((product, each) => product * each, 1)
  const weight = state.weight ? await state.weight.data<'float32'>() : new Float32Array(size).fill(1)
  const inputs = [value, writer.floats(`${name}.weight`, normalizedShape, weight)]
  if (state.bias) inputs.push(writer.floats(`${name}.bias`, normalizedShape, await state.bias.data<'float32'>()))
  return writer.one('LayerNormalization', `${name}.y`, inputs, { axis: -normalizedShape.length, epsilon: eps })
}
