import type { LossOps } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import type { Addon } from './addon'

/** Losses as native code, on the calling thread. */
export function nativeLosses(addon: Addon, machine: number, clock: KernelClock): LossOps {
  let totals = new Float64Array(0)
  return {
    softmax(logits, classes, probabilities) {
      const rows = logits.length / classes
      const room = 2 * rows + classes
      if (totals.length < room) totals = new Float64Array(room)
      clock.time(() => addon.softmax(machine, rows, classes, logits, probabilities, totals))
      return totals
    },
  }
}
