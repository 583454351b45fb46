import type { Tensor } from '@tensorflow/tfjs-core'
import { NO_ROW } from './rows'

/**
 * How the steps that a mask leaves are computed: moved to the front of their row, with its length, and their outputs
 * moved back.
 */
export interface MaskPlan {
  /** Steps to compute of each row, `[N]`, at least 1. */
  readonly lengths: Int32Array
  /** For each step of a row as computed, the step of the inputs; undefined where none has to move. */
  readonly front: Int32Array | undefined
  /** For each output step, the step as computed; {@link NO_ROW} before a row's first one. */
  readonly back: Int32Array
  /** Rows without any step. */
  readonly empty: readonly number[]
}

/**
 * Plans a masked pass. In tfjs-layers a masked step changes no state and puts out that of the step before, so the other
 * steps can be computed side by side. Outputs come in the order in which steps are read.
 *
 * @returns undefined where the mask leaves every step
 */
export function planMask(mask: Tensor, batch: number, time: number, goBackwards: boolean): MaskPlan | undefined {
  const isRead = mask.dataSync()
  if (isRead.every((value) => value !== 0)) return undefined
  const lengths = new Int32Array(batch)
  const front = new Int32Array(batch * time).fill(NO_ROW)
  const back = new Int32Array(batch * time).fill(NO_ROW)
  const empty: number[] = []
  let moves = goBackwards
  for (let row = 0; row < batch; row++) {
    const start = row * time
    let count = 0
    for (let step = 0; step < time; step++) {
      const t = goBackwards ? time - 1 - step : step
      if (isRead[start + t]) {
        moves ||= count !== step
        front[start + count++] = start + t
      }
      if (count > 0) back[start + step] = start + count - 1
    }
    lengths[row] = Math.max(1, count)
    if (count === 0) empty.push(row)
  }
  return { lengths, front: moves ? front : undefined, back, empty }
}
