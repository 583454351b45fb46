import { environmentVariable } from '@rowwise/host'
import type { KernelPath, LSTMEngine } from './engine'
import { KernelMemoryError, KernelOptionError, KernelStateError } from './errors'
import { JsEngine } from './js/js-engine'
import { MAX_THREADS } from './threads/control'
import { whyNoThreads } from './threads/start-worker'
import { relaxedModule } from './wasm/fastest-module'
import { kernelModule, whyNoModule } from './wasm/module'
import { WasmEngine } from './wasm/wasm-engine'

/** How the kernels run. */
export interface KernelOptions {
  /**
   * The code to run. `'auto'` is the first that this runtime has of relaxed-simd, simd, js; `'off'` leaves LSTMs to the
   * operations of TensorFlow.js.
   * @default the environment variable ROWWISE_KERNELS, or `'auto'`
   */
  path?: KernelPath | 'auto' | 'off'
  /**
   * Threads that large batches are split over, the calling one included. `'auto'` is one per processor, up to 8. Results are
   * bit-equal from run to run for one count, and differ in the last bits between counts.
   * @default the environment variable ROWWISE_THREADS, or `'auto'`
   */
  threads?: number | 'auto'
}

/** What runs, for reports. */
export interface KernelReport {
  /** The code that runs; `'off'` when LSTMs are left to TensorFlow.js. */
  path: KernelPath | 'off'
  /** Threads that run, the calling one included; `notes` says why there are not more. */
  threads: number
  /** Threads that were asked for. Batches are cut for so many, however many run, so the last bits depend on it. */
  requestedThreads: number
  /**
   * Bits of the processor's vectors: 256 where V8 makes one operation of two (Node 24 on x86-64 with AVX2), which changes no
   * number; 0 where none are used.
   */
  vectorBits: 0 | 128 | 256
  /** Milliseconds that the calling thread spent in WebAssembly kernels since they were configured, for measurements. */
  milliseconds: number
  /** Why a better code does not run, and threads that were lost. */
  notes: string[]
}

const PATHS: readonly KernelPath[] = ['relaxed-simd', 'simd', 'js']
/** More threads than this gain nothing on a network that reads 28 rows; the user may still ask for them. */
const AUTO_THREADS_LIMIT = 8

let options: KernelOptions = {}
let current: { engine: LSTMEngine | null; notes: string[] } | null = null

/**
 * Chooses the code and the threads of all LSTMs from now on. Without a call the environment decides, at the first LSTM.
 *
 * @throws {@link KernelOptionError} when the path does not run here or the count is no integer from 1 to 64; what ran before
 * then stays.
 * @example
 * ```ts
 * configureKernels({ path: 'simd', threads: 1 })
 * ```
 */
export function configureKernels(chosen: KernelOptions): KernelReport {
  const next = start(chosen)
  current?.engine?.dispose()
  options = chosen
  current = next
  return kernelReport()
}

/**
 * What runs LSTMs here, and why nothing better does.
 *
 * @example
 * ```ts
 * const { path, threads } = kernelReport() // 'simd', 2
 * ```
 */
export function kernelReport(): KernelReport {
  const { engine, notes } = state()
  const { path = 'off', runningThreads = 1, threads = 1, vectorBits = 0, milliseconds = 0 } = engine ?? {}
  return { path, threads: runningThreads, requestedThreads: threads, vectorBits, milliseconds, notes: [...notes] }
}

/** The engine that runs; null when LSTMs are left to TensorFlow.js. */
export function currentEngine(): LSTMEngine | null {
  return state().engine
}

/** The engine that runs, for an operation that nothing else can compute. */
export function requireEngine(): LSTMEngine {
  const engine = currentEngine()
  if (engine === null)
    throw new KernelStateError('the kernels are switched off; call configureKernels({ path: "auto" })')
  return engine
}

function state() {
  current ??= start(options)
  return current
}

function start(chosen: KernelOptions) {
  const { path = pathFromEnvironment(), threads = threadsFromEnvironment() } = chosen
  const notes: string[] = []
  if (path === 'off') return { engine: null, notes }
  const count = threads === 'auto' ? autoThreads() : threads
  if (!Number.isInteger(count) || count < 1 || count > MAX_THREADS) {
    const where =
      chosen.threads === undefined
        ? `ROWWISE_THREADS is '${environmentVariable('ROWWISE_THREADS')}'`
        : `threads is ${threads}`
    throw new KernelOptionError(`${where}, expected 'auto' or an integer from 1 to ${MAX_THREADS}`)
  }
  const where = chosen.path === undefined ? 'ROWWISE_KERNELS' : 'path'
  for (const candidate of candidates(path, where)) {
    if (candidate === 'js') return { engine: new JsEngine(), notes }
    const module = candidate === 'simd' ? kernelModule('simd') : relaxedModule()
    if (module === null) {
      addOnce(notes, whyNoModule(candidate))
      continue
    }
    const obstacle = count > 1 ? whyNoThreads() : null
    const onObstacle = (reason: string): void => addOnce(notes, `fewer threads than ${count}: ${reason}`)
    const onLoss = (reason: string): void => reportLoss(notes, reason)
    if (obstacle !== null) onObstacle(obstacle)
    const workers = obstacle === null ? count : 1
    try {
      return { engine: new WasmEngine(candidate, module, workers, onLoss, onObstacle), notes }
    } catch (error) {
      if (!(error instanceof KernelMemoryError)) throw error
      addOnce(notes, error.message)
    }
  }
  throw new KernelOptionError(`path is '${path}', but ${notes[0]}`)
}

function candidates(path: KernelPath | 'auto', where: string): readonly KernelPath[] {
  if (path === 'auto') return PATHS
  if (PATHS.includes(path)) return [path]
  throw new KernelOptionError(`${where} is '${path}', expected one of auto, ${PATHS.join(', ')}, off`)
}

function reportLoss(notes: string[], reason: string): void {
  const message = `${reason}; the work goes on with the other threads, and gives the same numbers`
  notes.push(message)
  const { process } = globalThis as { process?: { emitWarning?: (message: string, name: string) => void } }
  process?.emitWarning?.(message, 'RowwiseThreadWarning')
}

function addOnce(notes: string[], note: string): void {
  if (!notes.includes(note)) notes.push(note)
}

function autoThreads(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } }
  const os = (globalThis.process as NodeJS.Process | undefined)?.getBuiltinModule?.('node:os')
  const processors = os?.availableParallelism() ?? navigator?.hardwareConcurrency ?? 1
  return Math.min(processors, AUTO_THREADS_LIMIT)
}

function pathFromEnvironment(): NonNullable<KernelOptions['path']> {
  return (environmentVariable('ROWWISE_KERNELS') as KernelOptions['path']) ?? 'auto'
}

function threadsFromEnvironment(): number | 'auto' {
  const text = environmentVariable('ROWWISE_THREADS')
  return text === undefined || text === 'auto' ? 'auto' : Number(text)
}
