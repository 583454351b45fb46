import { START, WORKER_SOURCE } from './worker-source'

/** What a worker is given. */
export interface WorkerStart {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  control: Int32Array
  /** Address of its scratch. */
  tile: number
  /** Threads in all. */
  threads: number
  /** The row whose room is its own where there are more slices than threads: the batch has a block of rows for every thread then. */
  room: number
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

interface BrowserGlobals {
  crossOriginIsolated?: boolean
  Worker?: typeof Worker
}

/** Whether threads can share the kernels' memory here; if not, what would mend it. */
export function whyNoThreads(): string | null {
  if (nodeWorkerThreads() !== undefined) return null
  const { crossOriginIsolated, Worker } = globalThis as BrowserGlobals
  if (Worker === undefined) return 'this runtime has no workers'
  if (crossOriginIsolated) return null
  return 'this page is not cross-origin isolated (serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)'
}

/** Starts a worker that never keeps the process alive; `onExit` is told when it ends by itself. */
export function startWorker(start: WorkerStart, onExit: (reason: string) => void): WorkerHandle {
  const threads = nodeWorkerThreads()
  return threads === undefined ? startInBrowser(start, onExit) : startInNode(threads, start, onExit)
}

function startInNode(threads: NodeWorkerThreads, start: WorkerStart, onExit: (reason: string) => void): WorkerHandle {
  // The parent's flags (--import, --require) are for the program, not for a kernel thread.
  const options = { eval: true, workerData: start, execArgv: [], stdin: false, name: 'rowwise-kernel' }
  const worker = new threads.Worker(`${WORKER_SOURCE}\n${START.node}`, options)
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

/** Needs `blob:` in a content security policy's `worker-src`. */
function startInBrowser(start: WorkerStart, onExit: (reason: string) => void): WorkerHandle {
  const url = URL.createObjectURL(new Blob([`${WORKER_SOURCE}\n${START.browser}`], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'rowwise-kernel' })
  worker.onerror = ({ message }) => onExit(`a thread failed: ${message}`)
  worker.postMessage(start)
  const terminate = (): void => {
    worker.terminate()
    URL.revokeObjectURL(url)
  }
  return { terminate, crash: terminate }
}
