import type { SelectedBackend } from '@rowwise/backend-select'
import { kernelReport } from '@rowwise/models-rnn'

/** What computes, for config.json and other machines. */
export function computedBy({ name }: SelectedBackend): { backend: string; kernels: string; threads: number } {
  const { path, threads } = kernelReport()
  return { backend: name, kernels: path, threads }
}
