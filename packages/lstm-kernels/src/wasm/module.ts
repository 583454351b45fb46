import { RELAXED_SIMD_MODULE, SIMD_MODULE } from '../generated/modules'

/** What the WebAssembly modules export; addresses in bytes, rows of the batch from `begin` to before `end`. */
export interface KernelExports {
  packForward(job: number): void
  packBackward(job: number): void
  forward(job: number, begin: number, end: number, tile: number): void
  backward(job: number, begin: number, end: number, slice: number, tile: number): void
  inputGradients(job: number, begin: number, end: number, tile: number): void
  collectWeightGradients(job: number): void
  activate(which: number, from: number, to: number, count: number): void
}

const compiled = new Map<string, WebAssembly.Module | null>()

/** The compiled module of a path; null where this runtime cannot run it. */
export function kernelModule(path: 'simd' | 'relaxed-simd'): WebAssembly.Module | null {
  let module = compiled.get(path)
  if (module === undefined) {
    module = compile(path === 'simd' ? SIMD_MODULE : RELAXED_SIMD_MODULE)
    compiled.set(path, module)
  }
  return module
}

/** Instantiates a module on a memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  return instance.exports as unknown as KernelExports
}

function compile(base64: string): WebAssembly.Module | null {
  if (typeof WebAssembly !== 'object') return null
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  // Validation fails exactly where an instruction is unknown; that is the test for relaxed SIMD too.
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null
}
