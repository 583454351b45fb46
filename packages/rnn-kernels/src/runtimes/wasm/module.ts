import { RELAXED_SIMD_MODULE, SIMD_MODULE } from '../../generated/modules'
import { fusesMultiplyAdd } from './fused'

/** What the WebAssembly modules export; addresses in bytes. */
export interface KernelExports {
  /** Places the arrays of a pass, or of weights, from `base` on, and returns their bytes. */
  planPass(job: number, base: number): number
  planWeights(job: number, base: number): number
  pack(job: number): void
  /** Readies a job for a forward pass. */
  begin(job: number): void
  /** Runs a slice of the batch in the scratch of a thread. */
  forward(job: number, slice: number, thread: number): void
  backward(job: number, slice: number, thread: number): void
  /** Sums the weight gradients of all slices, one of COLLECT_PARTS parts at a time. */
  collect(job: number, part: number, thread: number): void
  /** Floats of scratch for a linear layer. */
  linearScratch(rows: number, inFeatures: number, outFeatures: number): number
  linear(job: number, part: number, thread: number): void
  linearGradients(job: number, part: number, thread: number): void
  adam(theta: number, ...addressesCountAndCoefficients: number[]): void
  /** Multiplies and adds so many rounds; returns the floating-point operations. */
  multiplyAdds(rounds: number): number
  __stack_pointer: WebAssembly.Global<'i32'>
}

const BUILDS = { simd: SIMD_MODULE, 'relaxed-simd': RELAXED_SIMD_MODULE }
/** A build of the kernels. */
export type Build = keyof typeof BUILDS

let forbidden = false
let unfused = false
const compiled = new Map<Build, WebAssembly.Module | null>()

/** The compiled kernels of a build; null where this machine cannot run them. */
export function kernelModule(build: Build): WebAssembly.Module | null {
  let module = compiled.get(build)
  if (module === undefined) {
    module = compile(build)
    compiled.set(build, module)
  }
  return module
}

/** Why {@link kernelModule} returns null, with the fix. */
export function whyNoModule(build: Build): string {
  if (typeof WebAssembly !== 'object')
    return 'this runtime has no WebAssembly (Node has, unless it runs with --jitless)'
  if (forbidden) return "a policy forbids WebAssembly here (a page's allows it by script-src 'wasm-unsafe-eval')"
  if (build === 'simd') return 'this runtime has no WebAssembly SIMD (it needs a CPU with SSE4.1 or NEON)'
  if (unfused) {
    return 'relaxed SIMD does not fuse multiply and add here (JavaScriptCore, or a CPU without FMA), so it would be no faster than simd'
  }
  return 'this runtime has no WebAssembly relaxed SIMD (it needs Node 22 or newer)'
}

/** Instantiates kernels on a memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports
}

function compile(build: Build): WebAssembly.Module | null {
  if (typeof WebAssembly !== 'object') return null
  const bytes = Uint8Array.from(atob(BUILDS[build]), (character) => character.charCodeAt(0))
  // Validation fails exactly where an instruction is unknown. It is the test for relaxed SIMD, too.
  if (!WebAssembly.validate(bytes)) return null
  try {
    if (build === 'relaxed-simd' && !fusesMultiplyAdd()) {
      unfused = true
      return null
    }
    return new WebAssembly.Module(bytes)
  } catch (error) {
    // A valid module fails to compile where a policy forbids it, and nowhere else.
    if (!(error instanceof WebAssembly.CompileError)) throw error
    forbidden = true
    return null
  }
}
