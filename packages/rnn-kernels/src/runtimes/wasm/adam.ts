import type { AdamSlot } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import { Arena, bytesOf, pagesFor } from './arena'
import { instantiate } from './module'

/** Adam as WebAssembly, in its own memory, which is free when nobody holds a slot any more. */
export function wasmAdam(module: WebAssembly.Module, sizes: readonly number[], clock: KernelClock): AdamSlot[] {
  const largest = Math.max(...sizes)
  // What is read and written once in a step, and the averages.
  const lengths = [largest, largest, largest, ...sizes, ...sizes]
  const bytes = bytesOf(lengths)
  const arena = new Arena(pagesFor(bytes))
  const { adam } = instantiate(module, arena.memory)
  const arrays = arena.arraysAt(arena.allocate(bytes).at, lengths)
  return sizes.map((size, index) => {
    const [m, v] = [arrays[3 + index], arrays[3 + sizes.length + index]]
    const [theta, gradient, next] = arrays.slice(0, 3).map((array) => array.subarray(0, size))
    const at = [theta, gradient, m, v, next].map(({ byteOffset }) => byteOffset) as [number, ...number[]]
    return {
      m,
      v,
      update(from, gradientOf, to, c) {
        theta.set(from)
        gradient.set(gradientOf)
        const numbers = [c.beta1, c.beta2, c.oneMinusBeta1, c.oneMinusBeta2, c.stepSize, c.rootCorrection, c.eps]
        clock.time(() => adam(...at, size, ...numbers, c.weightDecay))
        to.set(next)
      },
    }
  })
}
