import { currentRuntime } from './configure'

/** Some milliseconds of WebAssembly, less of native code. */
const ROUNDS = 1 << 18
const REPEATS = 8

/**
 * GFLOP/s that one core reaches in a loop of independent multiply-adds, with the vectors of the kernels that run: what their products can be
 * held against. The best of some short attempts, in all less than a tenth of a second.
 *
 * @returns null where the kernels are plain JavaScript, or switched off
 * @example
 * ```ts
 * console.log(measurePeak()) // 232.1
 * ```
 */
export function measurePeak(): number | null {
  const runtime = currentRuntime()
  if (runtime?.multiplyAdds === undefined) return null
  let best = 0
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const began = performance.now()
    const operations = runtime.multiplyAdds(ROUNDS)
    best = Math.max(best, operations / (performance.now() - began) / 1e6)
  }
  return best
}
