import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { environmentVariable } from '@rowwise/host'
import { KernelOptionError, KernelStateError } from './errors'
import type { Runtime, RuntimeName } from './runtime'
import type { ThreadNotes } from './runtimes/compiled/compiled-runtime'
import { MAX_SLICES } from './runtimes/compiled/partition'
import { JsRuntime } from './runtimes/js/js-runtime'
import { nativeRuntime } from './runtimes/native/native-runtime'
import { wasmRuntime } from './runtimes/wasm/wasm-runtime'

/** How the kernels run. */
export interface KernelOptions {
  /**
   * The code to run. `'auto'` is the first that this machine has of native, relaxed-simd, simd, js; `'off'` leaves recurrent layers
   * to the operations of TensorFlow.js.
   * @default the environment variable ROWWISE_KERNELS, or `'auto'`
   */
  path?: RuntimeName | 'auto' | 'off'
  /**
   * Threads that share large batches, the calling one included. `'auto'` is one per processor, up to 8. Every count gives the same
   * bits.
   * @default the environment variable ROWWISE_THREADS, or `'auto'`
   */
  threads?: number | 'auto'
}

/** What runs, for reports. */
export interface KernelReport {
  /** The code that runs; `'off'` when recurrent layers are left to TensorFlow.js. */
  path: RuntimeName | 'off'
  /** The instruction set that native code uses: avx512, avx2, sse2 or neon. */
  instructions?: string
  /** Whether every multiply-add rounds once. All code that fuses gives the same bits: native but sse2, and relaxed-simd. */
  fused: boolean
  /** Threads that run, the calling one included; `notes` says why there are not more. */
  threads: number
  /** Threads that were asked for. */
  requestedThreads: number
  /** Milliseconds that the calling thread spent in kernels since they were configured, for measurements. */
  milliseconds: number
  /** Why a better code does not run, and threads that were lost. */
  notes: string[]
}

const NAMES: OptionNames<KernelOptions> = { path: true, threads: true }

const PATHS: readonly RuntimeName[] = ['native', 'relaxed-simd', 'simd', 'js']
/** The most threads: more have no slice to claim. */
const MAX_THREADS = MAX_SLICES
/** More threads than this gain nothing on a network that reads 28 rows; the user may still ask for them. */
const AUTO_THREADS_LIMIT = 8

/** Each is made, or says why it does not run here; null says nothing to a user who did not ask for it. */
const RUNTIMES: Readonly<Record<RuntimeName, (threads: number, notes: ThreadNotes) => Runtime | string | null>> = {
  native: nativeRuntime,
  'relaxed-simd': (threads, notes) => wasmRuntime('relaxed-simd', threads, notes),
  simd: (threads, notes) => wasmRuntime('simd', threads, notes),
  js: () => new JsRuntime(),
}

let options: KernelOptions = {}
let current: { runtime: Runtime | null; requestedThreads: number; notes: string[] } | null = null

/**
 * Chooses the code and the threads of all recurrent layers from now on. Without a call the environment decides, at the first layer.
 *
 * @throws {@link KernelOptionError} when the path does not run here or the count is no integer from 1 to 64; what ran before
 * then stays.
 * @example
 * ```ts
 * configureKernels({ path: 'simd', threads: 1 })
 * ```
 */
export function configureKernels(chosen: KernelOptions): KernelReport {
  refuseUnknownOptions('configureKernels()', chosen, NAMES, KernelOptionError)
  const next = start(chosen)
  current?.runtime?.dispose()
  options = chosen
  current = next
  return kernelReport()
}

/**
 * What runs recurrent layers here, and why nothing better does.
 *
 * @example
 * ```ts
 * const { path, threads } = kernelReport() // 'simd', 2
 * ```
 */
export function kernelReport(): KernelReport {
  const { runtime, requestedThreads, notes } = state()
  const { threads, milliseconds } = runtime?.report() ?? { threads: 1, milliseconds: 0 }
  const { name = 'off', instructions } = runtime ?? {}
  return {
    path: name,
    ...(instructions && { instructions }),
    fused: name === 'relaxed-simd' || (name === 'native' && instructions !== 'sse2'),
    threads,
    requestedThreads,
    milliseconds,
    notes: [...notes],
  }
}

/** The runtime that computes; null when recurrent layers are left to TensorFlow.js. */
export function currentRuntime(): Runtime | null {
  return state().runtime
}

/** The runtime that computes, for an operation that nothing else can compute. */
export function requireRuntime(): Runtime {
  const runtime = currentRuntime()
  if (runtime === null)
    throw new KernelStateError('the kernels are switched off; call configureKernels({ path: "auto" })')
  return runtime
}

function state() {
  current ??= start(options)
  return current
}

function start(chosen: KernelOptions) {
  const { path = pathFromEnvironment(), threads = threadsFromEnvironment() } = chosen
  const notes: string[] = []
  const count = threads === 'auto' ? autoThreads() : threads
  if (!Number.isInteger(count) || count < 1 || count > MAX_THREADS) {
    const from =
      chosen.threads === undefined
        ? `ROWWISE_THREADS is '${environmentVariable('ROWWISE_THREADS')}'`
        : `threads is ${threads}`
    throw new KernelOptionError(`${from}, expected 'auto' or an integer from 1 to ${MAX_THREADS}`)
  }
  if (path === 'off') return { runtime: null, requestedThreads: 1, notes }
  const where = chosen.path === undefined ? 'ROWWISE_KERNELS' : 'path'
  const threadNotes: ThreadNotes = {
    onObstacle: (reason) => addOnce(notes, `fewer threads than ${count}: ${reason}`),
    onLoss: (reason) => reportLoss(notes, reason),
  }
  for (const candidate of candidates(path, where)) {
    const runtime = RUNTIMES[candidate](count, threadNotes)
    if (typeof runtime === 'object' && runtime !== null) {
      return { runtime, requestedThreads: candidate === 'js' ? 1 : count, notes }
    }
    if (runtime !== null) addOnce(notes, runtime)
    else if (path !== 'auto') addOnce(notes, 'this runtime has no addons')
  }
  throw new KernelOptionError(`${where} is '${path}', but ${notes[0]}`)
}

function candidates(path: RuntimeName | 'auto', where: string): readonly RuntimeName[] {
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
  if (text === undefined || text === 'auto') return 'auto'
  return /^\d+$/.test(text) ? Number(text) : Number.NaN // no 1e1, no 0x2
}
