import { environmentVariable, packageDirectory } from '@rowwise/host'
import { startCpu } from './candidates/cpu'
import { startCuda } from './candidates/cuda'
import { type CorePair, loadedOtherCore, otherCore } from './candidates/places'
import { startWasm } from './candidates/wasm'
import { DuplicateCoreError } from './errors'
import { checkOptions, FACTS, ORDER, type SelectBackendOptions, type SelectedBackend } from './options'
import { type Attempt, type BackendName, notPreferred } from './reasons'

/**
 * Starts the fastest TensorFlow.js backend that works here: CUDA with a real GPU, then WASM SIMD, then plain JavaScript.
 * A backend that is missing, broken, hanging or crashing is passed over within the time limit, with the reason.
 *
 * @throws {@link BackendOptionError} for an unknown backend, option or time limit; {@link DuplicateCoreError} when the program has two
 * copies of tfjs-core, naming both.
 * @example
 * ```ts
 * const backend = await selectBackend()
 * console.log(backend.name, backend.tried.map(({ name, code, fix }) => `${name}: ${code}, ${fix}`))
 * ```
 */
export async function selectBackend(options: SelectBackendOptions = {}): Promise<SelectedBackend> {
  const { prefer, timeoutMs, wasmPath } = checkOptions(options, environmentVariable('ROWWISE_BACKEND'))
  refuseTwoCores()
  const candidates: Record<BackendName, () => Attempt> = {
    cuda: () => startCuda(timeoutMs),
    wasm: () => startWasm(wasmPath),
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
