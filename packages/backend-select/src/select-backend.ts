import { startCpu } from './candidates/cpu'
import { startCuda } from './candidates/cuda'
import { type CorePair, loadedOtherCore, otherCore, packageDirectory } from './candidates/node-modules'
import { startWasm } from './candidates/wasm'
import { BackendOptionError, DuplicateCoreError } from './errors'
import type { Attempt, BackendName, Rejection } from './reasons'

/** What {@link selectBackend} may choose from. */
export interface SelectBackendOptions {
  /**
   * The best backend to consider; if it does not run, the next one does. `'auto'` considers all.
   * @default the environment variable ROWWISE_BACKEND, or `'auto'`
   */
  prefer?: BackendName | 'auto'
  /** Milliseconds that probing CUDA may take. @default 10000 */
  timeoutMs?: number
}

/** The backend that runs, and why the better ones don't. */
export interface SelectedBackend {
  /** The backend. */
  name: BackendName
  /** What TensorFlow.js calls it. */
  tfjsName: 'tensorflow' | 'wasm' | 'cpu'
  /** Whether it computes with WASM SIMD instructions. */
  simd: boolean
  /** Threads that TensorFlow.js's operations use on it; 0 where the backend decides by itself. */
  threads: number
  /** The better ones, best first. */
  tried: Rejection[]
}

const ORDER: readonly BackendName[] = ['cuda', 'wasm', 'cpu']

const FACTS = {
  cuda: { tfjsName: 'tensorflow', simd: false, threads: 0 },
  wasm: { tfjsName: 'wasm', simd: true, threads: 1 }, // one thread in Node, by TensorFlow.js's own code
  cpu: { tfjsName: 'cpu', simd: false, threads: 1 },
} as const

/**
 * Starts the fastest TensorFlow.js backend that works here: CUDA with a real GPU, then WASM SIMD, then plain JavaScript.
 * A backend that is missing, broken, hanging or crashing is passed over within the time limit, with the reason.
 *
 * @throws {@link BackendOptionError} for an unknown backend or time limit; {@link DuplicateCoreError} when the program has two
 * copies of tfjs-core, naming both.
 * @example
 * ```ts
 * const backend = await selectBackend()
 * console.log(backend.name, backend.tried.map(({ name, code, fix }) => `${name}: ${code}, ${fix}`))
 * ```
 */
export async function selectBackend(options: SelectBackendOptions = {}): Promise<SelectedBackend> {
  const { prefer = preferenceFromEnvironment(), timeoutMs = 10_000 } = options
  if (prefer !== 'auto' && !ORDER.includes(prefer)) throw unknownBackend(String(prefer), 'prefer')
  if (!(timeoutMs > 0 && timeoutMs < 2 ** 31)) {
    throw new BackendOptionError(`timeoutMs is ${timeoutMs}, expected milliseconds over 0`)
  }
  refuseTwoCores()
  const candidates: Record<BackendName, () => Attempt> = {
    cuda: () => startCuda(timeoutMs),
    wasm: startWasm,
    cpu: startCpu,
  }
  const first = prefer === 'auto' ? 0 : ORDER.indexOf(prefer)
  const tried = ORDER.slice(0, first).map((name) => notPreferred(name, prefer))
  for (const name of ORDER.slice(first)) {
    const rejection = await candidates[name]()
    if (rejection === null) return { name, ...FACTS[name], tried }
    tried.push({ name, ...rejection })
  }
  throw new Error('unreachable: the cpu backend always starts')
}

function preferenceFromEnvironment(): BackendName | 'auto' {
  const value = process.env.ROWWISE_BACKEND
  if (value === undefined || value === '' || value === 'auto') return 'auto'
  const name = ORDER.find((known) => known === value)
  if (name === undefined) throw unknownBackend(value, 'ROWWISE_BACKEND')
  return name
}

function unknownBackend(value: string, where: string): BackendOptionError {
  return new BackendOptionError(`${where} is '${value}', expected one of auto, ${ORDER.join(', ')}`)
}

function notPreferred(name: BackendName, prefer: string): Rejection {
  return {
    name,
    code: 'NOT_PREFERRED',
    reason: `It was not tried, because ${prefer} was asked for.`,
    fix: "prefer 'auto', or unset ROWWISE_BACKEND",
  }
}

/** Two copies would print hundreds of warnings and then fail in strange places, so look before anything is loaded. */
function refuseTwoCores(): void {
  const directories = ['@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-cpu'].map(packageDirectory)
  const pairs: (CorePair | null | undefined)[] = [
    loadedOtherCore(),
    ...directories.map((path) => (path === null ? null : otherCore(path))),
  ]
  const pair = pairs.find((found) => found != null)
  if (!pair) return
  throw new DuplicateCoreError(
    `two copies of @tensorflow/tfjs-core are in use: ${pair.ours} and ${pair.theirs}; ` +
      'run `npm dedupe`, or install one version that suits both',
  )
}
