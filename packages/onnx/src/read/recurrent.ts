import { fromOnnxOrder, gatesOf } from '../gates'
import { takeLengths } from './by-length'
import { scopeOf } from './dense'
import type { OnnxNode } from './file'
import type { GraphReader, Operator } from './operator'
import { type Axis, type DirectionDraft, isZeros, type RecurrentDraft, type Row, type Value } from './values'

/** Recurrent layers. */
export const RECURRENT: Readonly<Record<string, Operator>> = {
  LSTM(node) {
    return recurrent(this, node, 'LSTM')
  },
  GRU(node) {
    return recurrent(this, node, 'GRU')
  },
  RNN(node) {
    return recurrent(this, node, 'RNN')
  },
}

function recurrent(follower: GraphReader, node: OnnxNode, type: RecurrentDraft['type']): Value[] {
  const { attributes } = node
  const input = follower.tensor(node, 0)
  const [time, batch] = input.axes
  const isMixed =
    time?.role === 'batch' ||
    batch?.role === 'time' ||
    [time, batch].some((axis) => axis?.role === 'taken' || axis?.role === 'features')
  if (isMixed) throw follower.refusal(node, 'its steps are not the axis that another layer has them on')
  if (input.axes.length !== 3 || attributes.layout === 1)
    throw follower.refusal(node, 'its inputs are not [time, batch, features]')
  time.role = 'time'
  batch.role = 'batch'
  const w = follower.floats(node, 1, 3)
  const r = follower.floats(node, 2, 3)
  const b = node.inputs[3] ? follower.floats(node, 3, 2) : undefined
  const { direction = 'forward', hidden_size: hiddenSize = r.dims[2] } = attributes as {
    direction?: string
    hidden_size?: number
  }
  const directions = direction === 'bidirectional' ? 2 : 1
  const rows = gatesOf(type) * hiddenSize
  const [, , inputSize] = w.dims
  const fits =
    w.dims.join() === [directions, rows, inputSize].join() &&
    r.dims.join() === [directions, rows, hiddenSize].join() &&
    (b === undefined || b.dims.join() === [directions, 2 * rows].join())
  if (!fits)
    throw follower.refusal(
      node,
      `its weights are [${w.dims}], [${r.dims}] and [${b?.dims ?? ''}] for ${hiddenSize} hidden units`,
    )
  refuse(follower, node, direction)
  const part = (values: Float32Array, at: number, width: number): Float32Array =>
    fromOnnxOrder(type, values.subarray(at * rows * width, (at + 1) * rows * width))
  const layer = Array.from(
    { length: directions },
    (_, at): DirectionDraft => ({
      weightIh: part(w.floats, at, inputSize),
      weightHh: part(r.floats, at, hiddenSize),
      ...(b && { biasIh: part(b.floats, 2 * at, 1), biasHh: part(b.floats, 2 * at + 1, 1) }),
    }),
  )
  const draft: RecurrentDraft = {
    ...{ kind: 'recurrent', input: input.of, hint: nameOf(node, type), type, inputSize, hiddenSize },
    layers: [layer],
    ...activationsOf(follower, node, type, directions),
    initial: { h: stateOf(follower, node, 5, hiddenSize), c: stateOf(follower, node, 6, hiddenSize) },
    lengths: readLengths(follower, node),
  }
  const output = follower.add(draft, [
    time,
    { role: 'direction', size: directions },
    batch,
    { size: hiddenSize, role: 'features' },
  ])
  const final = (which: 'h' | 'c'): Value => ({
    kind: 'rows',
    rows: Array.from({ length: directions }, (_, at): Row => ({ of: output.of, which, at })),
    form: 'stack',
    axes: [{ size: directions }, batch, { size: hiddenSize, role: 'features' }] as Axis[],
  })
  return [output, final('h'), final('c')]
}

function nameOf(node: OnnxNode, type: string): string {
  return scopeOf(node.name) ?? type.toLowerCase()
}

function refuse(follower: GraphReader, node: OnnxNode, direction: string): void {
  const { clip, input_forget } = node.attributes
  if (direction === 'reverse') throw follower.refusal(node, 'it reads backwards only')
  if (clip !== undefined) throw follower.refusal(node, 'it has a clip')
  if (input_forget) throw follower.refusal(node, 'its input and forget gates are one')
  if (node.op === 'LSTM' && node.inputs[7]) throw follower.refusal(node, 'it has peepholes')
}

/** Its functions, which must be those of one of our cells. */
function activationsOf(
  follower: GraphReader,
  node: OnnxNode,
  type: RecurrentDraft['type'],
  directions: number,
): Pick<RecurrentDraft, 'gateActivation' | 'nonlinearity' | 'resetAfter'> {
  const {
    activations,
    activation_alpha: alphas = [],
    activation_beta: betas = [],
  } = node.attributes as {
    activations?: string[]
    activation_alpha?: number[]
    activation_beta?: number[]
  }
  const count = { LSTM: 3, GRU: 2, RNN: 1 }[type]
  const usual = type === 'RNN' ? ['Tanh'] : ['Sigmoid', 'Tanh', 'Tanh'].slice(0, count)
  const all = (activations ?? Array.from({ length: directions }, () => usual).flat()).map((name) => name.toLowerCase())
  const [gate] = all
  const one = all.slice(0, count)
  const isKnown =
    all.length === count * directions &&
    all.every((name, at) => name === one[at % count]) &&
    (type === 'RNN' ? ['tanh', 'relu'].includes(gate) : ['sigmoid', 'hardsigmoid'].includes(gate)) &&
    one.slice(1).every((name) => name === 'tanh') &&
    alphas.every((alpha) => Math.abs(alpha - 0.2) < 1e-6) &&
    betas.every((beta) => Math.abs(beta - 0.5) < 1e-6)
  if (!isKnown) throw follower.refusal(node, `its activations are ${all.join(', ')}`)
  return {
    gateActivation: gate === 'hardsigmoid' ? 'hard_sigmoid' : 'sigmoid',
    ...(type === 'RNN' && { nonlinearity: gate as 'tanh' | 'relu' }),
    ...(type === 'GRU' && { resetAfter: node.attributes.linear_before_reset === 1 }),
  }
}

/** The rows of an initial state; undefined for zeros. */
function stateOf(follower: GraphReader, node: OnnxNode, at: number, hiddenSize: number): readonly Row[] | undefined {
  const value = follower.input(node, at)
  if (value === undefined) return undefined
  if ((value.kind === 'zeros' || value.kind === 'constant') && isZeros(value)) {
    const { size = hiddenSize } = value.kind === 'constant' ? { size: value.constant.dims.at(-1) } : value
    if (size === hiddenSize) return undefined
    throw follower.refusal(
      node,
      `its initial state has ${size} units, expected ${hiddenSize}; PyTorch writes an LSTM with proj_size so, which ONNX does not have`,
    )
  }
  const rows = follower.rowsOf(value)
  if (rows === undefined || (value.kind === 'rows' && value.form !== 'stack'))
    throw follower.refusal(node, 'its initial state is neither zeros, an input, nor the final state of a layer')
  return rows
}

function readLengths(follower: GraphReader, node: OnnxNode): boolean {
  const value = follower.input(node, 4)
  if (value === undefined) return false
  const isInput =
    value.kind === 'tensor' && value.axes.length === 1 && follower.inputs.some(({ name }) => name === value.of)
  if (isInput && takeLengths(follower, value.of)) return true
  throw follower.refusal(node, 'its sequence_lens is not an input of the model')
}
