import { START, WORKER_SOURCE } from './worker-source'

/** What a worker is given. */
export interface WorkerStart {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  control: Int32Array
  /** Address where its stack begins, growing down. */
  stack: number
  /** Which thread it is, from 1: which scratch of a job it uses. */
  thread: number
}

/** A running worker. */
export interface WorkerHandle {
  terminate(): void
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

/** Whether threads can share the kernels' memory here; if not, what would fix it. */
export function whyNoThreads(): string | null {
  if (nodeWorkerThreads() !== undefined) return null
  const { crossOriginIsolated, Worker } = globalThis as BrowserGlobals
  if (Worker === undefined) return 'this runtime has no workers'
  if (crossOriginIsolated) return null
  return 'this page is not cross-origin isolated (serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)'
}

/** Whether this thread may sleep until a word changes; a page's main thread may not, nor may one whose workers it must help to start. */
export function canSleep(): boolean {
  return nodeWorkerThreads() !== undefined
}

/** Why a worker did not start, with the fix. */
export function whyNotStarted(error: unknown): string {
  const { code, message, name } = (error ?? {}) as { code?: string; message?: string; name?: string }
  if (code === 'ERR_ACCESS_DENIED') return "Node's permission model forbids threads (run node with --allow-worker)"
  if (code === 'ERR_WORKER_INIT_FAILED' || code === 'EAGAIN') {
    return `the system allows no more threads (${message}; raise its limit on processes, as with ulimit -u)`
  }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'there is no memory for a thread'
  if (message) return `a thread could not be started (${message})`
  return `a thread could not be started${name ? ` (${name})` : ''}; a page's policy must allow it by worker-src blob:`
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
  worker.on('error', (error) => onExit(whyNotStarted(error)))
  worker.on('exit', (code) => {
    if (!expected) onExit(`a thread ended with code ${code}`)
  })
  return {
    terminate() {
      expected = true
      void worker.terminate()
    },
  }
}

/** Needs `blob:` in a content security policy's `worker-src`. */
function startInBrowser(start: WorkerStart, onExit: (reason: string) => void): WorkerHandle {
  const url = URL.createObjectURL(new Blob([`${WORKER_SOURCE}\n${START.browser}`], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'rowwise-kernel' })
  worker.onerror = (event) => {
    event.preventDefault?.() // the report says it, so the console need not
    onExit(whyNotStarted(event))
  }
  worker.postMessage(start)
  return {
    terminate() {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
  }
}
