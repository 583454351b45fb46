import { KernelMemoryError } from '../../errors'
import { CompiledRuntime, type ThreadNotes } from '../compiled/compiled-runtime'
import { type Build, kernelModule, whyNoModule } from './module'
import { whyNoThreads } from './threads/start-worker'
import { WasmMachine } from './wasm-machine'

/** The kernels as WebAssembly; or why this build does not run here. */
export function wasmRuntime(
  build: Build,
  threads: number,
  notes: ThreadNotes,
  maxPages?: number,
): CompiledRuntime | string {
  const module = kernelModule(build)
  if (module === null) return whyNoModule(build)
  const obstacle = threads > 1 ? whyNoThreads() : null
  if (obstacle !== null) notes.onObstacle(obstacle)
  const count = obstacle === null ? threads : 1
  try {
    return new CompiledRuntime(build, count, (clock) => new WasmMachine(module, count, notes, clock, maxPages))
  } catch (error) {
    if (!(error instanceof KernelMemoryError)) throw error
    return error.message
  }
}
