import { configureKernels, type KernelOptions } from '@rowwise/rnn-kernels'

/** Whether this machine has a path: Node 20 has no relaxed SIMD. */
export function isHere({ path }: KernelOptions): boolean {
  try {
    configureKernels({ path })
    return true
  } catch {
    return false
  } finally {
    configureKernels({})
  }
}
