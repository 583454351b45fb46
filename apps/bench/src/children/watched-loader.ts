import type { DataLoader } from '@rowwise/data-mnist'
import type { Batch } from '@rowwise/train-loop'

/** Milliseconds that training steps waited for their batches so far. */
export const loading = { milliseconds: 0 }

/** A loader whose time counts as {@link loading}: from the question for a batch to the batch. */
export function watched(loader: DataLoader): AsyncIterable<Batch> {
  return {
    [Symbol.asyncIterator]() {
      const batches = loader[Symbol.asyncIterator]()
      return {
        async next() {
          const began = performance.now()
          const batch = await batches.next()
          loading.milliseconds += performance.now() - began
          return batch
        },
        return: async () => (await batches.return?.()) ?? { done: true, value: undefined },
      }
    },
  }
}
