import type { RecurrentShape } from '../../runtime'
import { addOuterProducts, multiplyRows } from './multiply'

/** The rows of a batch, longest first, so the rows that still have a step come first. */
export interface Rows {
  /** The row of the batch at each place. */
  order: Int32Array
  /** Its length. */
  lengths: Int32Array
  /** Rows that have a step, for each step. */
  active: number[]
}

/** Orders rows by length; all have T steps without lengths. */
export function orderRows(
  { batch, time }: RecurrentShape,
  lengths: Int32Array = new Int32Array(batch).fill(time),
): Rows {
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a] || a - b)
  const ordered = order.map((row) => lengths[row])
  const active = Array.from({ length: ordered[0] }, (_, step) => ordered.findLastIndex((length) => length > step) + 1)
  return { order, lengths: ordered, active }
}

/** Where the row at a place reads and writes in its step, in time steps of all rows. */
export function timeAt(
  { order, lengths }: Rows,
  { time, reverse }: RecurrentShape,
  place: number,
  step: number,
): number {
  return order[place] * time + (reverse ? lengths[place] - 1 - step : step)
}

/** `[count, width]` by panels: to[row][column] = Σ_k rows[row][k]·panel[k][column], and the bias of the column. */
export function multiplyPanels(
  rows: Float64Array,
  depth: number,
  count: number,
  panels: readonly Float64Array[],
  width: number,
  bias: Float64Array | undefined,
  to: Float64Array,
): void {
  const sums = new Float64Array(4 * count)
  for (let panel = 0, first = 0; panel < panels.length; panel++, first += 4) {
    multiplyRows(rows, depth, count, panels[panel], sums)
    const [c1, c2, c3] = columnsOf(first, width)
    const b0 = bias ? bias[first] : 0
    const b1 = bias ? bias[first + c1] : 0
    const b2 = bias ? bias[first + c2] : 0
    const b3 = bias ? bias[first + c3] : 0
    for (let from = 0, at = first; from < 4 * count; from += 4, at += width) {
      to[at + c3] = sums[from + 3] + b3
      to[at + c2] = sums[from + 2] + b2
      to[at + c1] = sums[from + 1] + b1
      to[at] = sums[from] + b0
    }
  }
}

/** sums[k][column] += Σ_row rows[row][k]·gates[row][column], by panels of sums; gates are `[count, width]`. */
export function addPanelProducts(
  rows: Float64Array,
  depth: number,
  count: number,
  gates: Float64Array,
  width: number,
  sums: readonly Float64Array[],
): void {
  const dense = new Float64Array(4 * count) // four columns side by side: they stay in the first-level cache
  for (let panel = 0, first = 0; panel < sums.length; panel++, first += 4) {
    const [c1, c2, c3] = columnsOf(first, width)
    for (let to = 0, at = first; to < 4 * count; to += 4, at += width) {
      dense[to] = gates[at]
      dense[to + 1] = gates[at + c1]
      dense[to + 2] = gates[at + c2]
      dense[to + 3] = gates[at + c3]
    }
    addOuterProducts(rows, depth, dense, 4, 0, count, sums[panel])
  }
}

/**
 * Offsets of a panel's columns after its first. Past the width they are the last column again, so write from the last
 * to the first.
 */
function columnsOf(first: number, width: number): [number, number, number] {
  const last = width - 1 - first
  return [Math.min(1, last), Math.min(2, last), Math.min(3, last)]
}
