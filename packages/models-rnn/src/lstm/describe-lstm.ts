import { canFuse, kernelReport } from '@rowwise/lstm-kernels'

/**
 * What computes LSTMs on the current backend, in words: `relaxed-simd kernels, 256-bit vectors, 2 threads` or `composed graph`.
 *
 * @example
 * ```ts
 * console.log(describeLSTM()) // simd kernels, 2 threads
 * ```
 */
export function describeLSTM(): string {
  if (!canFuse()) return 'composed graph'
  const { path, threads, requestedThreads, vectorBits } = kernelReport()
  const vectors = vectorBits === 256 ? ', 256-bit vectors' : ''
  const count = threads === requestedThreads ? threads : `${threads} of ${requestedThreads}`
  return `${path} kernels${vectors}, ${count} thread${count === 1 ? '' : 's'}`
}
