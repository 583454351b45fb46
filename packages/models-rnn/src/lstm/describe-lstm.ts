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

/**
 * What the last bits of an LSTM's numbers depend on, in words. Batches are cut for the threads that were asked for, so a thread that
 * could not start changes nothing.
 */
export function describeArithmetic(): string {
  if (!canFuse()) return 'composed graph'
  const { path, requestedThreads } = kernelReport()
  return `${path} kernels, batches cut for ${requestedThreads} thread${requestedThreads === 1 ? '' : 's'}`
}
