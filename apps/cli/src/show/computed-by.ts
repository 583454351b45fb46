import type { SelectedBackend } from '@rowwise/backend-select'
import { describeLSTM, kernelReport } from '@rowwise/models-rnn'

/** What computes, for config.json and other machines. */
export function computedBy({ name }: SelectedBackend): { backend: string; kernels: string; threads: number } {
  const { path, threads } = kernelReport()
  return { backend: name, kernels: path, threads }
}

/**
 * What the last bits of a run depend on, in words. Batches are cut for the threads that were asked for, so that a thread that could not
 * start changes nothing.
 */
export function arithmeticOf({ name }: SelectedBackend): string {
  const { requestedThreads } = kernelReport()
  return `${name}, ${describeLSTM().replace(/\d+ of \d+ threads?/, `${requestedThreads} threads`)}`
}
