import type { Constant, OnnxNode } from './file'
import { axesOf, axisAt, type GraphReader } from './operator'
import type { Value } from './values'

type Floats = Constant & { floats: Float32Array }

/**
 * What an operation makes of constants. PyTorch's newer exporter leaves the reordering of large weights to the graph;
 * undefined where it is no such operation, or reads something else.
 */
export function folded(follower: GraphReader, node: OnnxNode): Value | undefined {
  if (!Object.hasOwn(FOLDED, node.op)) return undefined
  const inputs = node.inputs.map((_, at) => follower.input(node, at))
  const isKnown = inputs.every((value) => value === undefined || value.kind === 'constant' || value.kind === 'integers')
  const [first] = inputs
  if (!isKnown || first?.kind !== 'constant') return undefined
  const constants = inputs.flatMap((value) => (value?.kind === 'constant' ? [value.constant] : []))
  const made = (FOLDED[node.op] as Fold).call(follower, node, constants)
  // The name says which layer's it is.
  return made && { kind: 'constant', constant: { name: first.constant.name, ...made } }
}

type Fold = (
  this: GraphReader,
  node: OnnxNode,
  constants: readonly Floats[],
) => { dims: readonly number[]; floats: Float32Array } | undefined

const FOLDED: Readonly<Record<string, Fold>> = {
  Identity: (_, [constant]) => constant,
  Concat({ attributes }, constants) {
    const [{ dims }] = constants
    const axis = axisAt(attributes.axis as number, dims.length)
    const sizes = constants.map((constant) => constant.dims[axis])
    const whole = dims.map((size, at) => (at === axis ? sizes.reduce((sum, each) => sum + each, 0) : size))
    const inner = product(dims.slice(axis + 1))
    const floats = new Float32Array(product(whole))
    let to = 0
    for (let outer = 0; outer < product(dims.slice(0, axis)); outer++)
      for (const [at, constant] of constants.entries()) {
        const length = sizes[at] * inner
        floats.set(constant.floats.subarray(outer * length, (outer + 1) * length), to)
        to += length
      }
    return { dims: whole, floats }
  },
  Slice(node, [constant]) {
    const { attributes } = node
    const starts = this.integers(node, 1) ?? (attributes.starts as number[] | undefined) ?? []
    const ends = this.integers(node, 2) ?? (attributes.ends as number[] | undefined) ?? []
    const axes = axesOf(this, node, constant.dims.length, 3) ?? starts.map((_, axis) => axis)
    const steps = this.integers(node, 4) ?? starts.map(() => 1)
    if (steps.some((step) => step !== 1)) return undefined
    const ranges = constant.dims.map((size) => [0, size])
    for (const [at, axis] of axes.entries()) {
      const size = constant.dims[axis]
      const within = (end: number): number => Math.min(Math.max(end < 0 ? end + size : end, 0), size)
      ranges[axis] = [within(starts[at]), within(ends[at])]
    }
    const dims = ranges.map(([start, end]) => Math.max(end - start, 0))
    const strides = stridesOf(constant.dims)
    const offset = ranges.reduce((sum, [start], axis) => sum + start * strides[axis], 0)
    return { dims, floats: strided(constant.floats, dims, strides, offset) }
  },
  Transpose({ attributes }, [{ dims, floats }]) {
    const { perm = dims.map((_, axis) => dims.length - 1 - axis) } = attributes as { perm?: number[] }
    const strides = stridesOf(dims)
    const order = perm.map((axis) => dims[axis])
    return {
      dims: order,
      floats: strided(
        floats,
        order,
        perm.map((axis) => strides[axis]),
        0,
      ),
    }
  },
  Unsqueeze(node, [{ dims, floats }]) {
    const rank = dims.length + (axesOf(this, node, 0) ?? []).length
    const added = axesOf(this, node, rank) ?? []
    const rest = [...dims]
    return {
      dims: Array.from({ length: rank }, (_, at) => (added.includes(at) ? 1 : (rest.shift() as number))),
      floats,
    }
  },
  Squeeze(node, [{ dims, floats }]) {
    const dropped = axesOf(this, node, dims.length)
    return { dims: dims.filter((size, at) => (dropped ? !dropped.includes(at) : size !== 1)), floats }
  },
  Reshape(node, [{ dims, floats }]) {
    const shape = this.integers(node, 1)?.map((size, at) => (size === 0 ? dims[at] : size))
    if (shape === undefined) return undefined
    const known = product(shape.filter((size) => size >= 0))
    const whole = shape.map((size) => (size < 0 ? floats.length / known : size))
    return product(whole) === floats.length ? { dims: whole, floats } : undefined
  },
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1)
}

/** How far apart neighbours along each axis are. */
function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, axis) => product(dims.slice(axis + 1)))
}

/** The elements of `dims`, read with other strides. */
function strided(
  from: Float32Array,
  dims: readonly number[],
  strides: readonly number[],
  offset: number,
): Float32Array {
  const to = new Float32Array(product(dims))
  const own = stridesOf(dims)
  for (let at = 0; at < to.length; at++) {
    let place = offset
    for (let axis = 0; axis < dims.length; axis++) place += (Math.floor(at / own[axis]) % dims[axis]) * strides[axis]
    to[at] = from[place]
  }
  return to
}
