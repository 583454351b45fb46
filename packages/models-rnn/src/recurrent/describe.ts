import { canFuse, kernelReport } from '@rowwise/rnn-kernels'

/**
 * What computes LSTMs on the current backend, in words: `native avx512 kernels, 2 threads` or `composed graph`.
 *
 * @example
 * ```ts
 * console.log(describeLSTM()) // simd kernels, 2 threads
 * ```
 */
export function describeLSTM(): string {
  if (!canFuse()) return 'composed graph'
  const { path, instructions, threads, requestedThreads } = kernelReport()
  const count = threads === requestedThreads ? threads : `${threads} of ${requestedThreads}`
  return `${path}${instructions ? ` ${instructions}` : ''} kernels, ${count} thread${count === 1 ? '' : 's'}`
}

/**
 * What the last bits of an LSTM's numbers depend on, in words: `kernels with fused multiply-add`, `kernels without fused multiply-add`,
 * `js kernels` or `composed graph`. Threads are not part of it, nor is the width of vectors: all of them give the same bits.
 */
export function describeArithmetic(): string {
  if (!canFuse()) return 'composed graph'
  const { path, fused } = kernelReport()
  return path === 'js' ? 'js kernels' : `kernels ${fused ? 'with' : 'without'} fused multiply-add`
}
