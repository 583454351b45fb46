import { transposed } from '@rowwise/host-values/transposed'
import type { OnnxNode } from './file'
import { axesOf, type GraphReader, isStepAxis, type Operator } from './operator'
import { SHAPES } from './shapes'
import { activatedInLoop, addedToLoop, timesRecurrentWeight } from './unrolled'
import { type Draft, isZeros, type TensorValue } from './values'

/** Layers beside the recurrent ones. */
export const DENSE: Readonly<Record<string, Operator>> = {
  Gather(node) {
    const value = this.input(node, 0)
    if (value?.kind !== 'constant') return SHAPES.Gather.call(this, node)
    const { constant } = value
    const indices = this.tensor(node, 1)
    const { axis = 0 } = node.attributes as { axis?: number }
    if (axis !== 0 || constant.dims.length !== 2) return undefined
    const hint = layerName(constant.name) ?? 'embedding'
    const { floats: weight, dims } = constant
    return this.add({ kind: 'embedding', input: indices.of, hint, weight, dims }, [...indices.axes, { size: dims[1] }])
  },
  Gemm(node) {
    const input = this.tensor(node, 0)
    const { constant, weight, outFeatures } = weightOf(this.floats(node, 1, 2), node.attributes.transB === 1)
    const { alpha = 1, beta = 1, transA = 0 } = node.attributes as Record<string, number>
    if (alpha !== 1 || beta !== 1 || transA !== 0) return undefined
    const bias = node.inputs[2] ? biasOf(this.floats(node, 2), outFeatures) : undefined
    if (node.inputs[2] && bias === undefined) return undefined
    const hint = layerName(constant.name) ?? 'fc'
    const axes = [...input.axes.slice(0, -1), { size: outFeatures }]
    const draft: Draft = { kind: 'linear', input: input.of, hint, weight, outFeatures, ...(bias && { bias }) }
    return { ...this.add(draft, axes), flat: input.flat }
  },
  MatMul(node) {
    const given = this.input(node, 0)
    const { weight, outFeatures } = weightOf(this.floats(node, 1, 2), false)
    if (isZeros(given)) return { kind: 'zeros', size: outFeatures } // the state that a loop begins with
    if (given?.kind === 'hidden') return timesRecurrentWeight(this, given, weight)
    const input = this.tensor(node, 0)
    const axes = [...input.axes.slice(0, -1), { size: outFeatures }]
    const hint = scopeOf(node.name) ?? 'fc'
    return { ...this.add({ kind: 'linear', input: input.of, hint, weight, outFeatures }, axes), flat: input.flat }
  },
  Add(node) {
    const [a, b] = [this.input(node, 0), this.input(node, 1)]
    const inLoop = addedToLoop(this, a, b)
    if (inLoop) return inLoop
    if (a?.kind === 'zeros' && b?.kind === 'constant') return b
    if (b?.kind === 'zeros' && a?.kind === 'constant') return a
    const [place, value] = a?.kind === 'constant' ? [1, b] : [0, a]
    const constant = this.floats(node, 1 - place)
    if (value?.kind !== 'tensor') return undefined
    const draft = this.drafts.get(value.of)
    if (draft?.kind !== 'linear' || draft.bias || constant.dims.length > value.axes.length) return undefined
    const bias = biasOf(constant, draft.outFeatures)
    if (bias === undefined) return undefined
    if (!this.isUsedOnce(node.inputs[place]) || value.axes.at(-1)?.role !== 'features') return undefined
    draft.bias = bias
    draft.hint = layerName(constant.name) ?? draft.hint
    return value
  },
  LayerNormalization(node) {
    const input = this.tensor(node, 0)
    const { axis = -1, epsilon = 1e-5 } = node.attributes as Record<string, number>
    const { floats: weight, name, dims: shape } = this.floats(node, 1)
    const bias = node.inputs[2] ? this.floats(node, 2, shape.length).floats : undefined
    const isOverAll = [-shape.length, input.axes.length - shape.length].includes(axis)
    if (!isOverAll || (shape.length > 1 && (input.flat || !isStepAxis(this, input.axes, 1)))) return undefined
    const hint = layerName(name) ?? 'norm'
    const eps = Number(Math.fround(epsilon).toPrecision(7)) // a float32 of the file; 1e-5 is 9.999999747378752e-06 there
    const draft: Draft = {
      kind: 'norm',
      input: input.of,
      hint,
      shape,
      weight,
      eps,
      ...(bias && { bias }),
    }
    return { ...this.add(draft, input.axes), flat: input.flat }
  },
  Tanh(node) {
    return activatedInLoop(this, this.input(node, 0), 'tanh') ?? activation(this, node, 'tanh')
  },
  Relu(node) {
    return activatedInLoop(this, this.input(node, 0), 'relu') ?? activation(this, node, 'relu')
  },
  Sigmoid(node) {
    return activation(this, node, 'sigmoid')
  },
  Softmax(node) {
    // Before opset 13 it was over all axes from this one on.
    const { axis = this.opset < 13 ? 1 : -1 } = node.attributes as { axis?: number }
    const { axes } = this.tensor(node, 0)
    return axis === -1 || axis === axes.length - 1 ? activation(this, node, 'softmax') : undefined
  },
  ReduceMean(node) {
    const input = this.tensor(node, 0)
    const axes = axesOf(this, node, input.axes.length) ?? []
    const [axis] = axes
    const isTime = axes.length === 1 && isStepAxis(this, input.axes, axis)
    if (!isTime || node.attributes.keepdims !== 0) return undefined
    const rest = input.axes.filter((_, at) => at !== axis)
    return this.add({ kind: 'mean', input: input.of, hint: 'mean' }, rest)
  },
}

function activation(follower: GraphReader, node: OnnxNode, kind: 'tanh' | 'sigmoid' | 'relu' | 'softmax'): TensorValue {
  const input = follower.tensor(node, 0)
  return { ...follower.add({ kind, input: input.of, hint: kind }, input.axes), flat: input.flat }
}

/** A bias `[out]`, of one that is broadcast: `[1, out]`, or one number for all; undefined of what has more. */
function biasOf({ dims, floats }: { dims: readonly number[]; floats: Float32Array }, outFeatures: number) {
  if (floats.length === 1) return new Float32Array(outFeatures).fill(floats[0])
  return dims.at(-1) === outFeatures && floats.length === outFeatures ? floats : undefined
}

/** A weight as `[out, in]`. */
function weightOf(constant: { name: string; dims: readonly number[]; floats: Float32Array }, isTransposed: boolean) {
  const { dims, floats } = constant
  if (isTransposed) return { constant, weight: floats, outFeatures: dims[0] }
  return { constant, weight: transposed(floats, dims[0]), outFeatures: dims[1] }
}

/** The layer that a parameter's name begins with: `fc_1` of `fc_1.weight`. */
export function layerName(parameter: string): string | undefined {
  const found = /^(.+)\.(?:weight|bias)[a-z0-9_]*$/.exec(parameter)?.[1]
  return found?.replaceAll('.', '_')
}

/** The layer in the name of an operation: `rnn_1` of PyTorch's `/rnn_1/LSTM`, `lstm_1` of our `lstm_1.l0`. */
export function scopeOf(name: string): string | undefined {
  const scope = /^\/(.+)\/[^/]+$/.exec(name)?.[1] ?? /^(\w+)\.l\d+$/.exec(name)?.[1] ?? /^(\w+)\.\w+$/.exec(name)?.[1]
  return scope?.replaceAll(/[./]/g, '_')
}
