import type { AdamSlot } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import { instantiate } from './module'

const PAGE_BYTES = 65536
/** Arrays begin on cache lines. */
const LINE_BYTES = 64

/** Adam as WebAssembly, in its own memory, which is free when nobody holds a slot any more. */
export function wasmAdam(module: WebAssembly.Module, sizes: readonly number[], clock: KernelClock): AdamSlot[] {
  const lines = (size: number): number => Math.ceil((4 * size) / LINE_BYTES) * LINE_BYTES
  const largest = Math.max(...sizes)
  const bytes = 3 * lines(largest) + sizes.reduce((sum, size) => sum + 2 * lines(size), 0)
  // The kernels' constants and stack are in the first page.
  let top = 2 * PAGE_BYTES
  const pages = Math.ceil((top + bytes) / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const { adam } = instantiate(module, memory)
  const take = (size: number): Float32Array => {
    const array = new Float32Array(memory.buffer, top, size)
    top += lines(size)
    return array
  }
  // What is read and written once in a step.
  const passing = [take(largest), take(largest), take(largest)]
  return sizes.map((size) => {
    const [m, v] = [take(size), take(size)]
    const [theta, gradient, next] = passing.map((array) => array.subarray(0, size))
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
