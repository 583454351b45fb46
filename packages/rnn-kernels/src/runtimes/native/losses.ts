import type { LossOps } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import { isSharedLoop } from '../compiled/partition'
import type { Addon } from './addon'

/**
 * Losses as native code.
 *
 * @param poolFor the number of a pool, for work that is worth other threads
 */
export function nativeLosses(
  addon: Addon,
  machine: number,
  clock: KernelClock,
  poolFor: (together: boolean) => number,
): LossOps {
  let totals = new Float64Array(0)
  return {
    softmax(logits, classes, probabilities) {
      const rows = logits.length / classes
      if (totals.length < 2 * rows) totals = new Float64Array(2 * rows)
      const pool = poolFor(isSharedLoop(logits.length))
      clock.time(() => addon.softmax(machine, rows, classes, probabilities, logits, totals, pool))
      return totals
    },
    softmaxGradient(probabilities, classes, targets, upstream) {
      const pool = poolFor(isSharedLoop(probabilities.length))
      const rows = targets.length
      clock.time(() => addon.softmaxGradient(machine, rows, classes, probabilities, targets, upstream, pool))
    },
  }
}
