import type { OnnxNode } from './file'
import { axesOf, type GraphReader, isStepAxis, type Operator } from './operator'
import { isZeros, type Value } from './values'

// The mean of each row's steps by its length, as Rowwise writes it:
//
//     mask = [0 … T−1] < lengths          [N, T], of which Unsqueeze makes [N, T, 1]
//     Σ_t where(mask, x, 0) / lengths

/** The operations of a mean by length. */
export const MASKED_MEAN: Readonly<Record<string, Operator>> = {
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
    return places?.kind === 'places' && takeLengths(this, this.input(node, 1)) ? { ...places, kind: 'mask' } : undefined
  },
  Where(node) {
    const mask = this.input(node, 0)
    const input = this.tensor(node, 1)
    const time = input.axes[1]
    const isSteps = mask?.kind === 'mask' && mask.count === (time?.size ?? time) && isStepAxis(this, input.axes, 1)
    return isSteps && isZeros(this.input(node, 2)) ? { ...input, kind: 'masked' } : undefined
  },
  ReduceSum(node) {
    const input = this.input(node, 0)
    if (input?.kind !== 'masked' || node.attributes.keepdims !== 0) return undefined
    const isOverSteps = axesOf(this, node, input.axes.length)?.join() === '1'
    return isOverSteps ? { ...input, kind: 'total' } : undefined
  },
  Div(node) {
    const total = this.input(node, 0)
    const count = this.input(node, 1)
    if (total?.kind !== 'total' || count?.kind !== 'floats of lengths') return undefined
    const rest = total.axes.filter((_, at) => at !== 1)
    return this.add({ kind: 'mean', input: total.of, hint: 'mean', byLength: true }, rest)
  },
}

/** `lengths − 1`, which GatherND reads. */
export function lengthsMinusOne(reader: GraphReader, node: OnnxNode): Value | undefined {
  const value = reader.input(node, 0)
  return reader.integers(node, 1)?.join() === '1' && takeLengths(reader, value) ? value : undefined
}

/** Whether a value is the input that has the lengths; the first that is read as such is. */
export function takeLengths(reader: GraphReader, value: Value | undefined): boolean {
  if (value?.kind !== 'tensor' || value.axes.length !== 1) return false
  if (!reader.inputs.some(({ name, isInteger }) => isInteger && name === value.of)) return false
  reader.lengths ??= value.of
  return reader.lengths === value.of
}
