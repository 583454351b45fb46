import { refuseUnknownOptions } from '@rowwise/errors'
import { Graph, isStandard, Layer, RecurrentLayer, RecurrentNet } from '@rowwise/models-rnn'
import { OnnxUnsupportedError } from '../errors'
import { type Dim, GraphWriter, OPSETS } from './graph-writer'
import { flattened, inputOf, type Written, writeLayer } from './layers'
import { type RecurrentValues, writeRecurrent } from './recurrent'

/** How {@link toOnnx} writes. */
export interface ToOnnxOptions {
  /** The version of ONNX's operations, from 17 to 22. @default 17 */
  opset?: number
  /** Add an input `lengths`, int32 `[batch]`: the steps of each row. @default false */
  lengths?: boolean
  /** Free texts for the file, beside the model's `config`. */
  metadata?: Readonly<Record<string, string>>
}

/**
 * A model as an ONNX file, in evaluation: LSTM, GRU and RNN with their layers and directions, Linear, Embedding,
 * LayerNorm, activations, and what picks a step, in a `Sequential`, a network or a `Graph`; batch and time stay free. A
 * recurrent layer alone puts out `output`, `hn` and `cn`.
 *
 * The input is `x`, float `[batch, time, features]`, or int64 `[batch, time]` of an embedding; the output `output`. A
 * `Graph` has the names of its inputs and outputs; a state among its inputs is `[numLayers·D, batch, H]`. A network's
 * config is in the metadata, as in a safetensors file.
 *
 * @returns the bytes of the file
 * @throws {@link OnnxUnsupportedError} for what ONNX does not have, such as projections, or a layer of your own, and
 * for another opset.
 * @example
 * ```ts
 * await writeFile('model.onnx', await toOnnx(model))
 * const session = await InferenceSession.create('model.onnx') // onnxruntime-node
 * const { output } = await session.run({ x: new Tensor('float32', values, [8, 28, 28]) })
 * ```
 */
export async function toOnnx(model: Layer, options: ToOnnxOptions = {}): Promise<Uint8Array> {
  refuseUnknownOptions('toOnnx', options, { opset: true, lengths: true, metadata: true }, OnnxUnsupportedError)
  const { opset = OPSETS[0], lengths = false, metadata = {} } = options
  if (!(model instanceof Layer))
    throw new OnnxUnsupportedError('toOnnx expects a layer of @rowwise/models-rnn: toOnnx(model)')
  if (!OPSETS.includes(opset))
    throw new OnnxUnsupportedError(`toOnnx: opset is ${opset}, expected one from ${OPSETS[0]} to ${OPSETS.at(-1)}`)
  if ('maskValue' in model && !lengths) {
    throw new OnnxUnsupportedError(
      'the model masks its inputs, which ONNX does not; pass lengths: true, and the lengths to onnxruntime',
    )
  }
  const writer = new GraphWriter(opset)
  const told = lengths ? 'lengths' : undefined
  if (model instanceof Graph && isStandard(model)) await writeGraph(writer, model, told)
  else await writeChain(writer, model, told)
  if (told) writer.input(told, 'int32', ['batch'])
  const config = model instanceof RecurrentNet ? model.config : undefined
  return writer.finish('model', { ...(config && { config: JSON.stringify(config) }), ...metadata })
}

async function writeChain(writer: GraphWriter, model: Layer, lengths: string | undefined): Promise<void> {
  const layers = flattened(model)
  const { type, dims } = inputOf(layers)
  let written: Written = { value: writer.input('x', type, dims), dims }
  for (const [name, layer] of layers) written = await writeLayer(writer, name, layer, written, lengths)
  const { states } = written
  writer.output('output', states ? states.output() : written.value, written.dims)
  if (states && model instanceof RecurrentLayer) {
    writer.output('hn', states.hn(), stateDims(model))
    if (model.cell === 'lstm') writer.output('cn', states.cn(), stateDims(model))
  }
}

function stateDims({ numLayers, bidirectional, hiddenSize }: RecurrentLayer): Dim[] {
  return [numLayers * (bidirectional ? 2 : 1), 'batch', hiddenSize]
}

async function writeGraph(writer: GraphWriter, model: Graph, lengths: string | undefined): Promise<void> {
  const values = new Map<string, Written>()
  const both = model.inputs.find((name) => Object.hasOwn(model.outputs, name))
  if (both !== undefined)
    throw new OnnxUnsupportedError(`${both} is an input and an output of the graph, which ONNX names alike; rename one`)
  for (const name of model.inputs) {
    const { type, dims } = graphInput(model, name)
    values.set(name, { value: writer.input(name, type, dims), dims })
  }
  const at = (place: string): Written => values.get(place) as Written
  /** A state is `[layers·D, N, H]`; what a layer puts out may be `[N, H]`. */
  const stateAt = (place: string): string => {
    const { value, dims } = at(place)
    return dims.length > 2 ? value : writer.one('Unsqueeze', `${place}.state`, [value, writer.integers([0])])
  }
  for (const { name, layer, input, initial, lengths: isTold } of model.nodes) {
    const told = isTold ? lengths : undefined
    const read = at(input)
    if (layer instanceof RecurrentLayer) {
      const begun = initial && { h: stateAt(initial.h), ...(initial.c && { c: stateAt(initial.c) }) }
      const states = await writeRecurrent(writer, name, layer, read.value, { lengths: told, initial: begun })
      setStates(values, name, layer, states, read.dims)
      continue
    }
    let written = read
    for (const [inner, each] of flattened(layer, name)) written = await writeLayer(writer, inner, each, written, told)
    values.set(name, written.states ? { value: written.states.output(), dims: written.dims } : written)
  }
  for (const [name, place] of Object.entries(model.outputs)) writer.output(name, at(place).value, at(place).dims)
}

/** What an input of a graph is, by the layers that read it or begin with it. */
function graphInput({ nodes, inputs }: Graph, name: string): { type: 'float' | 'int64'; dims: Dim[] } {
  const reached = new Set([name])
  const readers = nodes.filter(({ name: node, input }) => {
    const isReader = reached.has(input)
    if (isReader) reached.add(node)
    return isReader
  })
  if (readers.length > 0) {
    const { type, dims } = inputOf(readers.flatMap((node) => flattened(node.layer, node.name)))
    // A decoder may read more or fewer steps than an encoder.
    return { type, dims: dims.map((dim) => (dim === 'time' && name !== inputs[0] ? `time_${name}` : dim)) }
  }
  const begun = nodes.find(({ initial }) => initial?.h === name || initial?.c === name)
  if (begun) return { type: 'float', dims: stateDims(begun.layer as RecurrentLayer) }
  throw new OnnxUnsupportedError(`the input ${name} is read by no layer, so that its shape is not known`)
}

function setStates(
  values: Map<string, Written>,
  name: string,
  layer: RecurrentLayer,
  states: RecurrentValues,
  dims: readonly Dim[],
): void {
  const shape = stateDims(layer)
  values.set(name, { value: states.output(), dims: [...dims.slice(0, -1), layer.outputSize] })
  values.set(`${name}.final`, { value: states.final(), dims: [dims[0], layer.outputSize] })
  values.set(`${name}.hn`, { value: states.hn(), dims: shape })
  if (layer.cell !== 'lstm') return
  values.set(`${name}.finalCell`, { value: states.finalCell(), dims: [dims[0], layer.outputSize] })
  values.set(`${name}.cn`, { value: states.cn(), dims: shape })
}
