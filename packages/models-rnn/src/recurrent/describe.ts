import { canFuse, kernelReport } from '@rowwise/rnn-kernels'
import { getBackend } from '@tensorflow/tfjs-core'

/**
 * What computes recurrent layers on the current backend, in words: `native avx512 kernels, 2 threads` or `composed graph`.
 *
 * @example
 * ```ts
 * console.log(describeRecurrent()) // simd kernels, 2 threads
 * ```
 */
export function describeRecurrent(): string {
  if (!canFuse()) return 'composed graph'
  const { path, instructions, threads, requestedThreads } = kernelReport()
  const count = threads === requestedThreads ? threads : `${threads} of ${requestedThreads}`
  return `${path}${instructions ? ` ${instructions}` : ''} kernels, ${count} thread${count === 1 ? '' : 's'}`
}

/** What computes linear layers on the current backend, in words. */
export function describeLinear(): string {
  return canFuse() ? `${kernelReport().path} kernels` : `TensorFlow.js, ${getBackend()}`
}

/**
 * What the last bits of a recurrent layer's numbers depend on, in words: `kernels with fused multiply-add`, `kernels without fused multiply-add`,
 * `js kernels` or `composed graph`. Threads are not part of it, nor is the width of vectors: all of them give the same bits.
 */
export function describeArithmetic(): string {
  if (!canFuse()) return 'composed graph'
  const { path, fused } = kernelReport()
  return path === 'js' ? 'js kernels' : `kernels ${fused ? 'with' : 'without'} fused multiply-add`
}
