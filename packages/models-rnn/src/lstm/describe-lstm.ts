import { canFuse, kernelReport } from '@rowwise/lstm-kernels'

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
  const { path, threads } = kernelReport()
  return `${path} kernels, ${threads} thread${threads === 1 ? '' : 's'}`
}
