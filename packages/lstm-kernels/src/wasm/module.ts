import { RELAXED_SIMD_MODULE, SIMD_MODULE, WIDE_MODULE } from '../generated/modules'
import { fusesMultiplyAdd } from './fused'
import { canSwitchOn, withFeatures } from './v8-flags'

/** What the WebAssembly modules export; addresses in bytes, rows of the batch from `begin` to before `end`. */
export interface KernelExports {
  packForward(job: number): void
  packBackward(job: number): void
  forward(job: number, begin: number, end: number, room: number, tile: number): void
  backward(job: number, begin: number, end: number, slice: number, tile: number): void
  collectWeightGradients(job: number): void
  linear(x: number, weight: number, bias: number, y: number, rows: number, input: number, output: number): void
  linearBackward(
    dY: number,
    x: number,
    weight: number,
    dX: number,
    dWeight: number,
    dBias: number,
    rows: number,
    input: number,
    output: number,
  ): void
  activate(which: number, from: number, to: number, count: number): void
}

/** Compiled kernels. */
export interface KernelModule {
  readonly module: WebAssembly.Module
  /** Bits of a vector in the processor: 256 where the engine makes one operation of two. The numbers are the same. */
  readonly vectorBits: 128 | 256
}

let forbidden = false
let unfused = false
const compiled = new Map<string, KernelModule | null>()

/** The compiled module of a path; null where this runtime cannot run it. */
export function kernelModule(path: 'simd' | 'relaxed-simd'): KernelModule | null {
  let module = compiled.get(path)
  if (module === undefined) {
    module = narrow(path === 'simd' ? SIMD_MODULE : RELAXED_SIMD_MODULE)
    compiled.set(path, module)
  }
  return module
}

/** Why {@link kernelModule} has nothing for a path, with the fix. */
export function whyNoModule(path: 'simd' | 'relaxed-simd'): string {
  if (typeof WebAssembly !== 'object')
    return 'this runtime has no WebAssembly (Node has, unless it runs with --jitless)'
  if (forbidden) return "a policy forbids WebAssembly here (a page's allows it by script-src 'wasm-unsafe-eval')"
  if (path === 'relaxed-simd' && unfused) {
    return 'relaxed SIMD does not fuse multiply and add here (JavaScriptCore, or a CPU without FMA), so it would be no faster than simd'
  }
  return path === 'simd'
    ? 'this runtime has no WebAssembly SIMD (it needs a CPU with SSE4.1 or NEON)'
    : 'this runtime has no WebAssembly relaxed SIMD (it needs Node 22, or a Node 20 without ROWWISE_V8_FLAGS=off)'
}

/** The relaxed SIMD module for vectors of 256 bits; null where the engine makes none. Whether the processor has them shows in its speed. */
export function wideModule(): KernelModule | null {
  let module = compiled.get('wide')
  if (module === undefined) {
    const compile = (): WebAssembly.Module => new WebAssembly.Module(decode(WIDE_MODULE))
    const isMade = canSwitchOn('wide') && canSwitchOn('optimized')
    module = isMade ? { module: withFeatures(['wide', 'optimized'], compile), vectorBits: 256 } : null
    compiled.set('wide', module)
  }
  return module
}

/** Instantiates a module on a memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  return instance.exports as unknown as KernelExports
}

function narrow(base64: string): KernelModule | null {
  if (typeof WebAssembly !== 'object') return null
  const bytes = decode(base64)
  // Validation fails exactly where an instruction is unknown; that is the test for relaxed SIMD too.
  return withFeatures(['relaxed-simd', 'optimized', 'rolled'], () => {
    if (!WebAssembly.validate(bytes)) return null
    try {
      if (base64 === RELAXED_SIMD_MODULE && !fusesMultiplyAdd()) {
        unfused = true
        return null
      }
      return { module: new WebAssembly.Module(bytes), vectorBits: 128 }
    } catch {
      forbidden = true // it is valid, so nothing else is left
      return null
    }
  })
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
