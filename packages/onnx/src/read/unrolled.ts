import { OnnxUnsupportedError } from '../errors'
import type { GraphReader } from './operator'
import type { Axis, RecurrentDraft, Value } from './values'

// PyTorch's newer exporter writes the loop of an nn.RNN out, step by step:
//
//     u = x·W_ihᵀ + b_ih                          of all steps
//     h₀ = tanh(c + u[0])                         c is b_hh, computed beforehand from a state of zeros
//     hₜ = tanh(hₜ₋₁·W_hhᵀ + b_hh + u[t])
//
// Its operations are followed here until a Concat of all hₜ shows that it was one.

/** A loop, as far as it was followed. */
interface Loop {
  /** The linear layer that computes u. */
  readonly source: string
  readonly isBackward: boolean
  /** c. */
  readonly start: Float32Array
  /** The axes of u: steps, rows, features. */
  readonly axes: readonly Axis[]
  /** The steps, in the order in which they are read. */
  readonly steps: number[]
  nonlinearity?: 'tanh' | 'relu'
  weightHh?: Float32Array
  biasHh?: Float32Array
  /** What it became, once it was complete. */
  draft?: string
}

const loops = new WeakMap<GraphReader, Map<string, Loop>>()

function loopOf(follower: GraphReader, name: string): Loop {
  return loops.get(follower)?.get(name) as Loop
}

/** A sum within a loop; undefined where it is not one. */
export function addedToLoop(follower: GraphReader, a: Value | undefined, b: Value | undefined): Value | undefined {
  const values = [a, b]
  const step = values.find((value) => value?.kind === 'step')
  const constant = values.find((value) => value?.kind === 'constant')
  const recurrent = values.find((value) => value?.kind === 'recurrent')
  if (recurrent?.kind === 'recurrent' && constant?.kind === 'constant') {
    const loop = loopOf(follower, recurrent.of)
    const { floats } = constant.constant
    loop.biasHh ??= floats
    return isSame(loop.biasHh, floats) ? recurrent : undefined
  }
  if (recurrent?.kind === 'recurrent' && step?.kind === 'step') {
    const loop = loopOf(follower, recurrent.of)
    const isNext = step.of === loop.source && loop.steps.length === recurrent.count && step.flipped === loop.isBackward
    if (!isNext) return undefined
    loop.steps.push(step.t)
    return { kind: 'preactivation', of: recurrent.of, count: recurrent.count + 1 }
  }
  if (step?.kind !== 'step' || (constant?.kind !== 'constant' && !values.some((value) => value?.kind === 'zeros')))
    return undefined
  const all = loops.get(follower) ?? new Map<string, Loop>()
  loops.set(follower, all)
  const name = `loop ${all.size}`
  all.set(name, {
    source: step.of,
    isBackward: step.flipped,
    start: constant?.kind === 'constant' ? constant.constant.floats : new Float32Array(0),
    axes: step.axes,
    steps: [step.t],
  })
  return { kind: 'preactivation', of: name, count: 1 }
}

/** An activation within a loop; undefined where it is not one. */
export function activatedInLoop(
  follower: GraphReader,
  value: Value | undefined,
  name: 'tanh' | 'relu',
): Value | undefined {
  if (value?.kind !== 'preactivation') return undefined
  const loop = loopOf(follower, value.of)
  loop.nonlinearity ??= name
  return loop.nonlinearity === name ? { ...value, kind: 'hidden' } : undefined
}

/** hₜ₋₁·W_hhᵀ, with the weight as `[H, H]`. */
export function timesRecurrentWeight(
  follower: GraphReader,
  value: Extract<Value, { kind: 'hidden' | 'preactivation' | 'recurrent' }>,
  weight: Float32Array,
): Value | undefined {
  const loop = loopOf(follower, value.of)
  loop.weightHh ??= weight
  return isSame(loop.weightHh, weight) ? { ...value, kind: 'recurrent' } : undefined
}

/** All hidden states of a loop, or its last one: the loop is an RNN. Two loops side by side are its directions. */
export function unrolledSequence(
  follower: GraphReader,
  first: Extract<Value, { kind: 'hidden' | 'preactivation' | 'recurrent' }>,
  states?: readonly Value[],
): Value | undefined {
  const loop = loopOf(follower, first.of)
  const { steps } = loop
  const [time, batch] = loop.axes
  const isInOrder = steps.every((t, at) => t === at) && (time?.size ?? steps.length) === steps.length
  const counts = states?.map((state) => (state.kind === 'hidden' && state.of === first.of ? state.count : 0))
  const expected = steps.map((_, at) => (loop.isBackward ? steps.length - at : at + 1))
  const isWhole = counts ? counts.join() === expected.join() : first.count === steps.length
  if (!isInOrder || !isWhole || !hasZeroStart(loop)) return undefined
  if (time.role === 'batch' || batch.role === 'time' || time.role === 'taken')
    throw new OnnxUnsupportedError(
      `the loop over the steps of '${loop.source}' cannot be read: its steps are not the axis that another layer has them on`,
    )
  const name = loop.draft ?? makeDraft(follower, loop)
  const draft = name === undefined ? undefined : follower.drafts.get(name)
  if (name === undefined || draft?.kind !== 'recurrent') return undefined
  const side = loop.isBackward ? 1 : 0
  time.role = 'time'
  batch.role = 'batch'
  const features: Axis = { size: draft.hiddenSize, role: 'features' }
  if (states === undefined)
    return {
      kind: 'rows',
      rows: [{ of: name, which: 'h', at: side }],
      form: 'row',
      axes: [batch, features],
    }
  const axes: Axis[] = [time, batch, features]
  return { kind: 'tensor', of: name, axes, ...(draft.layers[0].length === 2 && { side }) }
}

/**
 * Replaces the linear layer of a loop with an RNN; a backward direction goes to the forward one that reads the same.
 * Undefined for a loop that reads backwards only.
 */
function makeDraft(follower: GraphReader, loop: Loop): string | undefined {
  const linear = follower.drafts.get(loop.source)
  if (linear?.kind !== 'linear') return undefined
  const { outFeatures: hiddenSize } = linear
  const { weightHh = new Float32Array(hiddenSize * hiddenSize), biasHh, nonlinearity } = loop
  const direction = {
    weightIh: linear.weight,
    weightHh,
    ...(linear.bias && { biasIh: linear.bias, biasHh: biasHh ?? loop.start.slice(0, hiddenSize) }),
  }
  follower.drafts.delete(loop.source)
  if (loop.isBackward) {
    const forward = [...follower.drafts].findLast(
      ([, draft]) => draft.kind === 'recurrent' && draft.type === 'RNN' && draft.input === linear.input,
    )
    if (forward?.[1].kind !== 'recurrent' || forward[1].layers[0].length !== 1) return undefined
    forward[1].layers[0].push(direction)
    loop.draft = forward[0]
    return loop.draft
  }
  const hint = /^fc(_\d+)?$/.test(linear.hint) ? 'rnn' : linear.hint
  const draft: RecurrentDraft = {
    ...{ kind: 'recurrent', input: linear.input, hint, type: 'RNN', nonlinearity, gateActivation: 'sigmoid' },
    inputSize: linear.weight.length / hiddenSize,
    hiddenSize,
    layers: [[direction]],
    initial: {},
    lengths: false,
  }
  loop.draft = follower.add(draft, []).of
  return loop.draft
}

/** The state before the first step is zero: what is added to u[0] is the bias alone, the same for every sample. */
function hasZeroStart({ start, biasHh }: Loop): boolean {
  if (biasHh === undefined) return start.every((value) => value === 0)
  return start.length > 0 && start.every((value, at) => Math.abs(value - biasHh[at % biasHh.length]) < 1e-6)
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  return a === b || (a.length === b.length && a.every((value, at) => value === b[at]))
}
