import { canFuse, kernelReport } from '@rowwise/rnn-kernels'

/**
 * What computes LSTMs on the current backend, in words: `relaxed-simd kernels, 2 threads` or `composed graph`.
 *
 * @example
 * ```ts
 * console.log(describeLSTM()) // simd kernels, 2 threads
 * ```
 */
export function describeLSTM(): string {
  if (!canFuse()) return 'composed graph'
  const { path, threads, requestedThreads } = kernelReport()
  const count = threads === requestedThreads ? threads : `${threads} of ${requestedThreads}`
  return `${path} kernels, ${count} thread${count === 1 ? '' : 's'}`
}

/**
 * What the last bits of an LSTM's numbers depend on, in words: `relaxed-simd kernels`, `simd kernels`, `js kernels` or `composed graph`. Threads
 * are not part of it: every count gives the same bits.
 */
export function describeArithmetic(): string {
  return canFuse() ? `${kernelReport().path} kernels` : 'composed graph'
}
