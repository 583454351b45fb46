import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll } from 'vitest'

/** The worker threads that the tests of this file start, so a test can end one as an accident would. */
export function recordThreads(): Worker[] {
  const started: Worker[] = []
  const threads = process.getBuiltinModule('node:worker_threads')
  const { Worker: NodeWorker } = threads
  beforeAll(() => {
    threads.Worker = class extends NodeWorker {
      constructor(...args: ConstructorParameters<typeof NodeWorker>) {
        super(...args)
        started.push(this)
      }
    }
  })
  afterAll(() => {
    threads.Worker = NodeWorker
  })
  return started
}
