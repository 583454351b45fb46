import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { BackendOptionError } from './errors'
import type { BackendName, Rejection } from './reasons'

/** What `selectBackend` may choose from. */
export interface SelectBackendOptions {
  /**
   * The best backend to consider; if it does not run, the next one does. `'auto'` considers all.
   * @default the environment variable ROWWISE_BACKEND, or `'auto'`; in a browser `'auto'`
   */
  prefer?: BackendName | 'auto'
  /** Milliseconds that probing CUDA may take. @default 10000 */
  timeoutMs?: number
  /**
   * Directory of the .wasm files of `@tensorflow/tfjs-backend-wasm`; in a browser its address.
   * @default where that package is installed, else beside the program; a browser has no default
   */
  wasmPath?: string
}

/** The backend that runs, and why the better ones don't. */
export interface SelectedBackend {
  /** The backend. */
  name: BackendName
  /** What TensorFlow.js calls it. */
  tfjsName: 'tensorflow' | 'wasm' | 'cpu'
  /** Whether TensorFlow.js's operations use WASM SIMD instructions on it. */
  simd: boolean
  /** Threads of TensorFlow.js's own operations, not of Rowwise's kernels; 0 where the backend decides by itself. */
  tfjsThreads: number
  /** The better ones, best first. */
  tried: Rejection[]
}

/** Best first. */
export const ORDER: readonly BackendName[] = ['cuda', 'wasm', 'cpu']

/** What is known of a backend that runs. */
export const FACTS = {
  cuda: { tfjsName: 'tensorflow', simd: false, tfjsThreads: 0 },
  wasm: { tfjsName: 'wasm', simd: true, tfjsThreads: 1 }, // one thread in Node, by TensorFlow.js's own code
  cpu: { tfjsName: 'cpu', simd: false, tfjsThreads: 1 },
} as const

const NAMES: OptionNames<SelectBackendOptions> = { prefer: true, timeoutMs: true, wasmPath: true }

/** Fills in the defaults, and refuses what is not allowed. */
export function checkOptions(
  options: SelectBackendOptions,
  fromEnvironment: string | undefined,
): { prefer: BackendName | 'auto'; timeoutMs: number; wasmPath: string | undefined } {
  refuseUnknownOptions('selectBackend()', options, NAMES, BackendOptionError)
  const { timeoutMs = 10_000, wasmPath } = options
  const [prefer, where] = options.prefer ? [options.prefer, 'prefer'] : [fromEnvironment || 'auto', 'ROWWISE_BACKEND']
  if (prefer !== 'auto' && !isBackend(prefer)) {
    throw new BackendOptionError(`${where} is '${prefer}', expected one of auto, ${ORDER.join(', ')}`)
  }
  if (!(typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs < 2 ** 31)) {
    throw new BackendOptionError(`timeoutMs is ${JSON.stringify(timeoutMs)}, expected milliseconds over 0`)
  }
  if (wasmPath !== undefined && typeof wasmPath !== 'string') {
    throw new BackendOptionError(`wasmPath is ${String(wasmPath)}, expected a directory as a string`)
  }
  return { prefer, timeoutMs, wasmPath }
}

function isBackend(name: string): name is BackendName {
  return (ORDER as readonly string[]).includes(name)
}
