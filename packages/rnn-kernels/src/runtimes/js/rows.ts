import type { RecurrentShape } from '../../runtime'
import { multiplyRows } from './multiply'

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
export function orderRows({ batch, time }: RecurrentShape, lengths: Int32Array = new Int32Array(batch).fill(time)): Rows {
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a] || a - b)
  const ordered = order.map((row) => lengths[row])
  const active = Array.from({ length: ordered[0] }, (_, step) => ordered.findLastIndex((length) => length > step) + 1)
  return { order, lengths: ordered, active }
}

/** Where the row at a place reads and writes in its step, in time steps of all rows. */
export function timeAt({ order, lengths }: Rows, { time, reverse }: RecurrentShape, place: number, step: number): number {
  return order[place] * time + (reverse ? lengths[place] - 1 - step : step)
}

/** `[count, width]` by panels: to[row][column] = start[column] + Σ_k rows[row][k]·panel[k][column]. */
export function multiplyPanels(
  rows: Float64Array,
  depth: number,
  count: number,
  panels: readonly Float64Array[],
  width: number,
  start: Float64Array | undefined,
  to: Float64Array,
): void {
  const sums = new Float64Array(4 * count)
  panels.forEach((panel, index) => {
    const first = 4 * index
    const columns = Math.min(4, width - first)
    multiplyRows(rows, depth, count, panel, sums)
    for (let row = 0; row < count; row++) {
      for (let c = 0; c < columns; c++) to[row * width + first + c] = sums[4 * row + c] + (start ? start[first + c] : 0)
    }
  })
}
