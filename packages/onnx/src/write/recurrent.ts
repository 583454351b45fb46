import type { Cell, RecurrentLayer } from '@rowwise/models-rnn'
import { OnnxUnsupportedError } from '../errors'
import { gatesOf, type RecurrentOp, toOnnxOrder } from '../gates'
import type { Attributes, GraphWriter } from './graph-writer'

/** A recurrent layer's values in a graph. */
export interface RecurrentValues {
  /** `[N, T, D·H]` */
  output(): string
  /** `[N, D·H]`, of the last layer, each direction after its last step */
  final(): string
  /** The same of an LSTM's cell state. */
  finalCell(): string
  /** `[numLayers·D, N, H]` */
  hn(): string
  /** The same of an LSTM. */
  cn(): string
}

/** ONNX's operation for each cell. */
const OPS: Readonly<Record<Cell, RecurrentOp>> = {
  lstm: 'LSTM',
  gru: 'GRU',
  gru_reset_before: 'GRU',
  rnn_tanh: 'RNN',
  rnn_relu: 'RNN',
}

/**
 * Writes a recurrent layer: an operation for each of its layers, as PyTorch's exporter does.
 *
 * @param input `[N, T, I]`
 * @param initial `[numLayers·D, N, H]` each
 * @throws OnnxUnsupportedError for an LSTM with projections, which ONNX does not have
 */
export async function writeRecurrent(
  writer: GraphWriter,
  name: string,
  layer: RecurrentLayer,
  input: string,
  { lengths = '', initial }: { lengths?: string; initial?: { h: string; c?: string } },
): Promise<RecurrentValues> {
  const { cell, numLayers, bidirectional, projSize } = layer
  if (projSize > 0) throw new OnnxUnsupportedError(`${name} is an LSTM with projections, which ONNX does not have`)
  const directions = bidirectional ? 2 : 1
  const state = (which: 'h' | 'c', at: number): string => {
    const given = initial?.[which]
    if (given === undefined || numLayers === 1) return given ?? ''
    const [start, end, axes] = [[at * directions], [(at + 1) * directions], [0]].map((list) => writer.integers(list))
    return writer.one('Slice', `${name}.${which}0`, [given, start, end, axes])
  }
  const states: { h: string; c: string }[] = []
  let steps = writer.one('Transpose', `${name}.steps`, [input], { perm: [1, 0, 2] }) // [T, N, I]
  for (let at = 0; at < numLayers; at++) {
    const weights = await writeWeights(writer, name, layer, at, directions)
    const op = OPS[cell]
    const states0 = [state('h', at), ...(op === 'LSTM' ? [state('c', at)] : [])]
    const inputs = [steps, ...weights, lengths, ...states0]
    while (inputs.at(-1) === '') inputs.pop()
    const outputs = writer.add(op, `${name}.l${at}`, inputs, attributesOf(layer), op === 'LSTM' ? 3 : 2)
    states.push({ h: outputs[1], c: outputs[2] ?? '' })
    const sides = writer.one('Transpose', `${name}.sides`, [outputs[0]], { perm: [0, 2, 1, 3] }) // [T, N, D, H]
    steps = writer.one('Reshape', `${name}.joined`, [sides, writer.integers([0, 0, -1])])
  }
  const stacked = (which: 'h' | 'c'): string =>
    states.length === 1
      ? states[0][which]
      : writer.one(
          'Concat',
          `${name}.${which}n`,
          states.map((each) => each[which]),
          { axis: 0 },
        )
  const final = (which: 'h' | 'c'): string => {
    const state = states[numLayers - 1][which]
    if (directions === 1) return writer.one('Squeeze', `${name}.final`, [state, writer.integers([0])])
    const sides = [0, 1].map((side) =>
      writer.one('Gather', `${name}.final`, [state, writer.integers(side)], { axis: 0 }),
    )
    return writer.one('Concat', `${name}.final`, sides, { axis: 1 })
  }
  return {
    output: () => writer.one('Transpose', `${name}.output`, [steps], { perm: [1, 0, 2] }),
    hn: () => stacked('h'),
    cn: () => stacked('c'),
    final: () => final('h'),
    finalCell: () => final('c'),
  }
}

/** W `[D, G·H, I]`, R `[D, G·H, H]` and, with biases, B `[D, 2·G·H]`. */
async function writeWeights(
  writer: GraphWriter,
  name: string,
  layer: RecurrentLayer,
  at: number,
  directions: number,
): Promise<string[]> {
  const { cell, hiddenSize, bias } = layer
  const op = OPS[cell]
  const state = layer.stateDict()
  const read = async (parameter: string, side: number): Promise<Float32Array> => {
    const values = await state[`${parameter}_l${at}${side === 1 ? '_reverse' : ''}`].data<'float32'>()
    return toOnnxOrder(op, values)
  }
  const sides = Array.from({ length: directions }, (_, side) => side)
  const parts = async (...parameters: string[]): Promise<Float32Array> =>
    joined(await Promise.all(sides.flatMap((side) => parameters.map((parameter) => read(parameter, side)))))
  const rows = gatesOf(op) * hiddenSize
  const columns = at === 0 ? layer.inputSize : hiddenSize * directions
  return [
    writer.floats(`${name}.W_l${at}`, [directions, rows, columns], await parts('weight_ih')),
    writer.floats(`${name}.R_l${at}`, [directions, rows, hiddenSize], await parts('weight_hh')),
    bias ? writer.floats(`${name}.B_l${at}`, [directions, 2 * rows], await parts('bias_ih', 'bias_hh')) : '',
  ]
}

function attributesOf({ cell, gateActivation, hiddenSize, bidirectional }: RecurrentLayer): Attributes {
  const op = OPS[cell]
  const gate = gateActivation === 'hard_sigmoid' ? 'HardSigmoid' : 'Sigmoid'
  const activations = {
    LSTM: [gate, 'Tanh', 'Tanh'],
    GRU: [gate, 'Tanh'],
    RNN: [cell === 'rnn_relu' ? 'Relu' : 'Tanh'],
  }[op]
  return {
    hidden_size: hiddenSize,
    direction: bidirectional ? 'bidirectional' : 'forward',
    activations: bidirectional ? [...activations, ...activations] : activations,
    ...(op === 'GRU' && { linear_before_reset: cell === 'gru' ? 1 : 0 }),
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
