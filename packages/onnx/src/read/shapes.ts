import { columnOf, floatsOf } from './by-length'
import type { Constant, OnnxNode } from './file'
import { axesOf, axisAt, type GraphReader, isStepAxis, type Operator } from './operator'
import { unrolledSequence } from './unrolled'
import { type Axis, constantValue, isZeros, type TensorValue, type Value } from './values'

/** ONNX's numbers of int32 and int64, and of float32 and float64. */
const INTEGERS = [6, 7]
const FLOATS = [1, 11]

/** Operations that change no number: what they do is followed axis by axis. */
export const SHAPES: Readonly<Record<string, Operator>> = {
  Constant(node) {
    const { value, value_int, value_ints, value_float } = node.attributes
    if (value !== undefined) return constantValue({ ...(value as Constant), name: node.outputs[0] })
    if (value_int !== undefined) return { kind: 'integers', items: [value_int as number], isScalar: true }
    if (value_ints !== undefined) return { kind: 'integers', items: value_ints as number[], isScalar: false }
    if (value_float === undefined) return undefined
    return constantValue({ name: node.outputs[0], dims: [], floats: Float32Array.of(value_float as number) })
  },
  Identity(node) {
    return this.input(node, 0)
  },
  Cast(node) {
    const value = this.input(node, 0)
    const to = node.attributes.to as number
    if (value?.kind === 'integers' || value?.kind === 'zeros') return value
    // Whole numbers stay whole, and others as they are: a rounding is no layer.
    const isInteger = this.inputs.some(
      ({ name, isInteger }) => isInteger && value?.kind === 'tensor' && name === value.of,
    )
    if (value?.kind === 'of rows' && INTEGERS.includes(to)) return value.what === 'floats' ? undefined : value
    if ((isInteger || value?.kind === 'of rows') && FLOATS.includes(to)) return floatsOf(this, value)
    return (isInteger ? INTEGERS : FLOATS).includes(to) ? value : undefined
  },
  Dropout(node) {
    // From opset 12 on, a file may say that it drops outside of training, too.
    const training = this.input(node, 2)
    const drops = training !== undefined && (training.kind !== 'integers' || training.items[0] !== 0)
    if (drops)
      throw this.refusal(node, 'it drops in evaluation too (training_mode); export the model after model.eval()')
    return this.input(node, 0)
  },
  Shape(node) {
    const value = this.input(node, 0)
    if (value?.kind !== 'tensor' && value?.kind !== 'rows') return undefined
    const { axes } = value
    const { start = 0, end = axes.length } = node.attributes as { start?: number; end?: number }
    return { kind: 'integers', items: axes.slice(start, end).map(sizeOf), isScalar: false }
  },
  ConstantOfShape(node) {
    const { value } = node.attributes as { value?: Constant }
    const fill = value?.floats?.[0] ?? value?.integers?.[0] ?? 0
    return fill === 0 ? { kind: 'zeros', size: lastOf(this.input(node, 0)) } : undefined
  },
  Expand(node) {
    const value = this.input(node, 0)
    const shape = this.input(node, 1)
    if (isZeros(value)) return { kind: 'zeros', size: lastOf(shape) }
    if (value?.kind !== 'tensor' && value?.kind !== 'rows') return value
    // Only what stays as it is: an axis of one would become longer.
    const items = shape?.kind === 'integers' ? shape.items : []
    const kept = items.map((item, at) => (item === 1 ? value.axes[at] : item))
    return areLike(kept, value.axes) ? value : undefined
  },
  Unsqueeze(node) {
    const value = this.input(node, 0)
    if (value?.kind === 'integers') return { ...value, isScalar: false }
    if (value?.kind === 'zeros') return value
    if (value?.kind === 'rows' && value.form === 'row' && axesOf(this, node, value.axes.length + 1)?.join() === '0')
      return { ...value, form: 'stack', axes: [{ size: 1 }, ...value.axes] }
    if (value?.kind === 'mask' && !value.isWide && axesOf(this, node, 3)?.join() === '2')
      return { ...value, isWide: true }
    return value?.kind === 'hidden' ? value : columnOf(this, node)
  },
  Squeeze(node) {
    const value = this.input(node, 0)
    if (value?.kind === 'integers') return { ...value, isScalar: true }
    if (value?.kind === 'zeros' || value?.kind === 'step') return value
    if (value?.kind === 'hidden') return unrolledSequence(this, value)
    if (value?.kind === 'rows' && value.form === 'stack' && value.rows.length === 1)
      return {
        ...value,
        form: 'row',
        axes: value.axes.filter(({ size, role }) => size !== 1 || role === 'features' || role === 'batch'),
      }
    if (value?.kind !== 'tensor') return undefined
    const axes = axesOf(this, node, value.axes.length)
    if (!axes?.every((axis) => value.axes[axis]?.size === 1)) return undefined
    return { ...value, axes: value.axes.filter((_, axis) => !axes.includes(axis)) }
  },
  Transpose(node) {
    const value = this.input(node, 0)
    if (value?.kind !== 'tensor') return undefined
    const { perm = value.axes.map((_, axis) => value.axes.length - 1 - axis) } = node.attributes as { perm?: number[] }
    const isOrder = perm.length === value.axes.length && value.axes.every((_, axis) => perm.includes(axis))
    return isOrder ? { ...value, axes: perm.map((axis) => value.axes[axis]) } : undefined
  },
  Reshape(node) {
    const value = this.input(node, 0)
    const shape = this.input(node, 1)
    if (value?.kind === 'zeros') return { ...value, size: lastOf(shape) }
    if (value?.kind === 'integers') return { ...value, isScalar: this.integers(node, 1)?.length === 0 }
    if (value?.kind !== 'tensor' || shape?.kind !== 'integers') return undefined
    return reshaped(value, shape.items)
  },
  Concat(node) {
    const values = node.inputs.map((_, at) => this.input(node, at) as Value)
    const axis = node.attributes.axis as number
    if (values.every((value) => value.kind === 'zeros')) return axis === 0 ? values[0] : { kind: 'zeros' }
    if (values.every((value) => value.kind === 'integers'))
      return { kind: 'integers', items: values.flatMap(({ items }) => [...items]), isScalar: false }
    const [first] = values
    if (first.kind === 'hidden') return unrolledSequence(this, first, values)
    if (values.every((value) => value.kind === 'tensor')) return sideBySide(values, axis)
    const rows = values.map((value) => this.rowsOf(value))
    if (first.kind !== 'rows' || rows.includes(undefined)) return undefined
    const all = rows.flatMap((list) => [...(list ?? [])])
    const isStack = values.every((value) => value.kind === 'rows' && value.form === 'stack')
    if (isStack && axis === 0) return { kind: 'rows', rows: all, form: 'stack', axes: first.axes }
    const isRow = values.every((value) => value.kind === 'rows' && value.form === 'row')
    return isRow && (axis === 1 || axis === -1)
      ? { kind: 'rows', rows: all, form: 'joined', axes: [first.axes[0], { role: 'features' }] }
      : undefined
  },
  // Sizes alone: PyTorch's newer exporter computes shapes in the graph.
  Mul(node) {
    const [a, b] = [this.input(node, 0), this.input(node, 1)]
    if (a?.kind !== 'integers' || b?.kind !== 'integers') return undefined
    const items = Array.from({ length: Math.max(a.items.length, b.items.length) }, (_, at): number | Axis => {
      const [x, y] = [a, b].map(({ items }) => items[items.length === 1 ? 0 : at])
      return typeof x === 'number' && typeof y === 'number' ? x * y : {}
    })
    return { kind: 'integers', items, isScalar: a.isScalar && b.isScalar }
  },
  Slice(node) {
    return sliced(this, node)
  },
  Gather(node) {
    const value = this.input(node, 0)
    const { axis = 0 } = node.attributes as { axis?: number }
    if (value?.kind === 'constant') return undefined // DENSE has it
    const index = this.integers(node, 1)
    if (index === undefined) return undefined
    const isScalar = (this.input(node, 1) as { isScalar: boolean }).isScalar
    if (value?.kind === 'integers') {
      const items = index.map((at) => value.items.at(at) as number | Axis)
      return { kind: 'integers', items, isScalar }
    }
    if (index.length !== 1 || value === undefined) return undefined
    return taken(this, value, axis, index[0], isScalar)
  },
}

/** The size of the last axis of a shape, where it is known. */
function lastOf(shape: Value | undefined): number | undefined {
  const last = shape?.kind === 'integers' ? shape.items.at(-1) : undefined
  return typeof last === 'number' && last > 1 ? last : undefined
}

function sizeOf(axis: Axis): number | Axis {
  return axis.size ?? axis
}

/** Whether an item of a shape is the size of an axis. */
function isLike(item: number | Axis, axis: Axis): boolean {
  return item === axis || (typeof item === 'number' && item > 0 && item === axis.size)
}

/** Whether a shape is that of some axes; one of them may be −1. */
function areLike(shape: readonly (number | Axis)[], axes: readonly Axis[]): boolean {
  if (shape.length !== axes.length) return false
  const strange = shape.filter((item, at) => !isLike(item, axes[at]))
  return strange.length === 0 || (strange.length === 1 && strange[0] === -1)
}

/**
 * A tensor in another shape: leading axes become one and come back, directions join the features, an axis of one falls
 * away.
 */
function reshaped(value: TensorValue, given: readonly (number | Axis)[]): Value | undefined {
  const { axes, flat } = value
  const shape = given.map((item, at) => (item === 0 ? (axes[at] ?? item) : item)) // 0 is what is there
  const last = axes[axes.length - 1]
  if (flat) return areLike(shape, [...flat, last]) ? { ...value, axes: [...flat, last], flat: undefined } : undefined
  if (areLike(shape, axes)) return value
  if (shape.length === 2 && axes.length > 2 && last.role === 'features')
    return isLike(shape[1], last) ? { ...value, axes: [{}, last], flat: axes.slice(0, -1) } : undefined
  const direction = axes.findIndex(({ role }) => role === 'direction')
  if (direction < 0) return undefined
  const joined: Axis[] = [...axes.slice(0, -2), { role: 'features', size: joinedSize(axes) }]
  if (direction === axes.length - 2 && areLike(shape, joined)) return { ...value, axes: joined }
  const rest = axes.filter((_, axis) => axis !== direction)
  return axes[direction].size === 1 && areLike(shape, rest) ? { ...value, axes: rest } : undefined
}

function joinedSize(axes: readonly Axis[]): number | undefined {
  const [directions, features] = axes.slice(-2).map(({ size }) => size)
  return directions === undefined || features === undefined ? undefined : directions * features
}

/** Both directions of an output side by side again. */
function sideBySide(values: readonly TensorValue[], axis: number): Value | undefined {
  const [first] = values
  const isLast = axis === -1 || axis === first.axes.length - 1
  const isWhole = values.every(({ of, side }, at) => of === first.of && (side ?? 0) === at)
  return isLast && isWhole && values.length === 2
    ? { ...first, side: undefined, axes: [...first.axes.slice(0, -1), { role: 'features' }] }
    : undefined
}

function sliced(follower: GraphReader, node: OnnxNode): Value | undefined {
  const value = follower.input(node, 0)
  const { attributes } = node
  const starts = follower.integers(node, 1) ?? (attributes.starts as number[] | undefined)
  const ends = follower.integers(node, 2) ?? (attributes.ends as number[] | undefined)
  const axes = follower.integers(node, 3) ?? (attributes.axes as number[] | undefined) ?? [0]
  const [step] = follower.integers(node, 4) ?? [1]
  if (value?.kind === 'zeros') return value
  if (value === undefined || starts?.length !== 1 || ends?.length !== 1 || axes.length !== 1) return undefined
  const [start] = starts
  const [end] = ends
  if (value.kind === 'integers') return { ...value, items: value.items.slice(start, end) }
  const rows = value.kind === 'tensor' && value.axes[axes[0]]?.role ? undefined : follower.rowsOf(value)
  if (rows && axes[0] === 0 && step === 1) {
    const some = rows.slice(start, end)
    return some.length > 0 ? { kind: 'rows', rows: some, form: 'stack', axes: (value as TensorValue).axes } : undefined
  }
  // A loop that was written out reads the steps of a linear layer backwards.
  const isLinear = value.kind === 'tensor' && follower.drafts.get(value.of)?.kind === 'linear'
  if (isLinear && axes[0] === 0 && step === -1 && start === -1) return { ...value, flipped: !value.flipped }
  const isOne = end === start + 1 || (start === -1 && end > 0)
  return isOne && step === 1 ? taken(follower, value, axes[0], start, false) : undefined
}

/** One place of an axis: a direction, a row of states, or a step. */
function taken(
  follower: GraphReader,
  value: Value,
  axis: number,
  index: number,
  isDropped: boolean,
): Value | undefined {
  const rows = follower.rowsOf(value)
  if (value.kind === 'rows' && value.form === 'stack' && axis === 0) {
    const row = value.rows.at(index)
    return (
      row && {
        kind: 'rows',
        rows: [row],
        form: isDropped ? 'row' : 'stack',
        axes: isDropped ? value.axes.slice(1) : value.axes,
      }
    )
  }
  if (value.kind !== 'tensor' || rows?.length === 0) return undefined
  if (value.flipped && follower.drafts.get(value.of)?.kind !== 'linear') return undefined
  const at = axisAt(axis, value.axes.length)
  const { role, size } = value.axes[at] ?? {}
  const rest = isDropped
    ? value.axes.filter((_, place) => place !== at)
    : value.axes.map((each, place): Axis => (place === at ? { size: 1, role: 'taken' } : each))
  if (role === 'direction') return { ...value, axes: rest, side: size === 1 ? undefined : index }
  const draft = follower.drafts.get(value.of)
  const isLast = index === -1 || index + 1 === size
  if (draft?.kind === 'recurrent') {
    const directions = draft.layers[0].length
    const { side = directions === 1 ? 0 : undefined } = value
    // The last step of the forward direction, and the first of the backward one, are final states.
    if (side !== undefined && (side === 0 ? isLast : index === 0) && directions === 2)
      return {
        kind: 'rows',
        rows: [{ of: value.of, which: 'h', at: side }],
        form: isDropped ? 'row' : 'stack',
        axes: rest,
      }
  }
  // A loop that was written out takes a linear layer's steps one by one, from 0.
  const isWhole = value.side === undefined && (index < 0 || draft?.kind !== 'linear')
  if (isLast && isWhole && isStepAxis(follower, value.axes, at))
    return follower.add({ kind: 'last', input: value.of, hint: 'last' }, rest)
  if (draft?.kind !== 'linear' || at !== 0) return undefined
  return index < 0
    ? undefined
    : { kind: 'step', of: value.of, t: index, flipped: value.flipped ?? false, axes: value.axes }
}
