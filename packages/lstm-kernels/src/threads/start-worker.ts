import { WORKER_SOURCE } from './worker-source'

/** What a worker is given. */
export interface WorkerStart {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  control: Int32Array
  /** Address of its scratch. */
  tile: number
}

/** A running worker. */
export interface WorkerHandle {
  terminate(): void
  /** Ends it as an accident would, for tests. */
  crash(): void
}

interface NodeWorkerThreads {
  Worker: new (
    source: string,
    options: object,
  ) => { unref(): void; terminate(): Promise<number>; on(event: string, listener: (value: unknown) => void): void }
}

/** Node's module for threads; undefined elsewhere. Not imported, so that bundlers for browsers need no settings. */
export function nodeWorkerThreads(): NodeWorkerThreads | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  return process?.getBuiltinModule?.('node:worker_threads') as NodeWorkerThreads | undefined
}

/** Starts a worker that never keeps the process alive; `onExit` is told when it ends by itself. */
export function startWorker(start: WorkerStart, onExit: (reason: string) => void): WorkerHandle {
  const threads = nodeWorkerThreads()
  if (threads === undefined) throw new Error('no threads here')
  // The parent's flags (--import, --require) are for the program, not for a kernel thread.
  const options = { eval: true, workerData: start, execArgv: [], stdin: false, name: 'rowwise-kernel' }
  const worker = new threads.Worker(WORKER_SOURCE, options)
  worker.unref()
  let expected = false
  worker.on('error', (error) => onExit(`a thread failed: ${error}`))
  worker.on('exit', (code) => {
    if (!expected) onExit(`a thread ended with code ${code}`)
  })
  return {
    terminate() {
      expected = true
      void worker.terminate()
    },
    crash() {
      void worker.terminate()
    },
  }
}
