import type { OnnxNode } from './file'
import { axesOf, type GraphReader, isStepAxis, type Operator } from './operator'
import { isZeros, type Value } from './values'

// What Rowwise writes of lengths `[N]`. The mean of each row's steps:
//
//     mask = [0 … T−1] < lengths [N, 1]          [N, T], of which Unsqueeze makes [N, T, 1]
//     Σ_t where(mask, x, 0) / lengths [N, 1]
//
// And the last step of each row, GatherND(x, lengths − 1 [N, 1]).

/** The operations of steps by length. */
export const BY_LENGTH: Readonly<Record<string, Operator>> = {
  Range(node) {
    const [start, limit, delta] = [0, 1, 2].map((at) => this.input(node, at))
    const isCount = (value: Value | undefined, count: number): boolean =>
      value?.kind === 'integers' && value.items.length === 1 && value.items[0] === count
    return limit?.kind === 'integers' && limit.items.length === 1 && isCount(start, 0) && isCount(delta, 1)
      ? { kind: 'places', count: limit.items[0] }
      : undefined
  },
  Less(node) {
    const places = this.input(node, 0)
    const isOfLengths = places?.kind === 'places' && isColumn(this, this.input(node, 1), 'lengths')
    return isOfLengths ? { ...places, kind: 'mask', isWide: false } : undefined
  },
  Where(node) {
    const mask = this.input(node, 0)
    const input = this.tensor(node, 1)
    const time = input.axes[1]
    const isOfSteps = mask?.kind === 'mask' && mask.isWide && mask.count === (time?.size ?? time)
    const isMasked = isOfSteps && isStepAxis(this, input.axes, 1) && isZeros(this.input(node, 2))
    return isMasked ? { ...input, kind: 'masked' } : undefined
  },
  ReduceSum(node) {
    const input = this.input(node, 0)
    if (input?.kind !== 'masked' || node.attributes.keepdims !== 0) return undefined
    const isOverSteps = axesOf(this, node, input.axes.length)?.join() === '1'
    return isOverSteps ? { ...input, kind: 'total' } : undefined
  },
  Div(node) {
    const total = this.input(node, 0)
    if (total?.kind !== 'total' || !isColumn(this, this.input(node, 1), 'floats')) return undefined
    const rest = total.axes.filter((_, at) => at !== 1)
    return this.add({ kind: 'mean', input: total.of, hint: 'mean', byLength: true }, rest)
  },
  Sub(node) {
    const lengths = ofRows(this, this.input(node, 0))
    const isOne = this.integers(node, 1)?.join() === '1'
    return isOne && lengths?.what === 'lengths' ? { ...lengths, what: 'last' } : undefined
  },
  GatherND(node) {
    const input = this.tensor(node, 0)
    const isLast = node.attributes.batch_dims === 1 && isColumn(this, this.input(node, 1), 'last')
    if (!isLast || !isStepAxis(this, input.axes, 1)) return undefined
    const rest = input.axes.filter(({ role }) => role !== 'time')
    return this.add({ kind: 'last', input: input.of, hint: 'last', byLength: true }, rest)
  },
}

type OfRows = Extract<Value, { kind: 'of rows' }>

/** An integer for each row: an input, or what was made of it; undefined of anything else. */
function ofRows(reader: GraphReader, value: Value | undefined): OfRows | undefined {
  if (value?.kind === 'of rows') return value
  if (value?.kind !== 'tensor' || value.axes.length !== 1) return undefined
  const isInteger = reader.inputs.some(({ name, isInteger }) => isInteger && name === value.of)
  return isInteger ? { kind: 'of rows', of: value.of, what: 'lengths', isColumn: false } : undefined
}

/** An integer for each row as a column `[N, 1]`; undefined of anything else. */
export function columnOf(reader: GraphReader, node: OnnxNode): Value | undefined {
  const rows = ofRows(reader, reader.input(node, 0))
  const isLast = axesOf(reader, node, 2)?.join() === '1'
  return rows && !rows.isColumn && isLast ? { ...rows, isColumn: true } : undefined
}

/** Lengths as floats; undefined of anything else. */
export function floatsOf(reader: GraphReader, value: Value | undefined): Value | undefined {
  const rows = ofRows(reader, value)
  return rows?.what === 'lengths' ? { ...rows, what: 'floats' } : undefined
}

function isColumn(reader: GraphReader, value: Value | undefined, what: OfRows['what']): boolean {
  return value?.kind === 'of rows' && value.isColumn && value.what === what && takeLengths(reader, value.of)
}

/** Whether an input has the lengths; the first that is read as such does. */
export function takeLengths(reader: GraphReader, name: string): boolean {
  reader.lengths ??= name
  return reader.lengths === name
}
