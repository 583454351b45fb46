import type { AdamSlot } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import { isSharedLoop } from '../compiled/partition'
import type { Addon } from './addon'

/**
 * Adam as native code, on arrays where they are.
 *
 * @param poolFor the number of a pool, for work that is worth other threads
 */
export function nativeAdam(
  addon: Addon,
  machine: number,
  sizes: readonly number[],
  clock: KernelClock,
  poolFor: (together: boolean) => number,
): AdamSlot[] {
  const numbers = new Float32Array(8)
  return sizes.map((size) => {
    const [m, v] = [new Float32Array(size), new Float32Array(size)]
    return {
      m,
      v,
      update(theta, gradient, next, c) {
        numbers.set([c.beta1, c.beta2, c.oneMinusBeta1, c.oneMinusBeta2])
        numbers.set([c.stepSize, c.rootCorrection, c.eps, c.weightDecay], 4)
        const pool = poolFor(isSharedLoop(size))
        clock.time(() => addon.adam(machine, theta, gradient, m, v, next, numbers, pool))
      },
    }
  })
}
