import type { LSTMShape } from '../engine'
import { KernelMemoryError } from '../errors'
import { type KernelModule, kernelModule, wideModule } from './module'
import { WasmEngine } from './wasm-engine'

/** Enough work to tell two builds apart, and no more: 3 million multiply-adds, a tenth of a millisecond. */
const TRIAL: LSTMShape = { batch: 32, time: 4, inputSize: 28, hiddenSize: 64, reverse: false }
const TRIALS = 7
/** 16 MiB: a trial must not take the address space that the kernels will ask for. */
const TRIAL_PAGES = 256

let fastest: KernelModule | null | undefined

/**
 * The module that runs relaxed SIMD here; null where there is none. The build for 256-bit vectors is taken where it is the faster
 * one, which it is not on a processor without AVX2. Both give the same bits, so the clock decides over nothing else.
 */
export function relaxedModule(): KernelModule | null {
  if (fastest === undefined) {
    const narrow = kernelModule('relaxed-simd')
    const wide = narrow === null ? null : wideModule()
    fastest = narrow !== null && wide !== null && isFaster(wide, narrow) ? wide : narrow
  }
  return fastest
}

function isFaster(one: KernelModule, other: KernelModule): boolean {
  const [timeOne, timeOther] = [trial(one), trial(other)]
  if (timeOne === null || timeOther === null) return false
  let [best, bestOther] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let count = 0; count < TRIALS; count++) {
    best = Math.min(best, timeOne())
    bestOther = Math.min(bestOther, timeOther())
  }
  return best < bestOther
}

/** Times a pass at each call; null where there is no memory for one. */
function trial(module: KernelModule): (() => number) | null {
  const engine = engineOf(module)
  if (engine === null) return null
  const { batch, time, inputSize, hiddenSize } = TRIAL
  const weights = {
    weightIh: new Float32Array(4 * hiddenSize * inputSize),
    weightHh: new Float32Array(4 * hiddenSize * hiddenSize),
  }
  const x = new Float32Array(batch * time * inputSize)
  const inputs = { x, weights: () => weights, weightsKey: [weights], save: false, returnOutput: false }
  return () => {
    const began = performance.now()
    engine.forward(TRIAL, inputs)
    return performance.now() - began
  }
}

function engineOf(module: KernelModule): WasmEngine | null {
  try {
    return new WasmEngine(
      'relaxed-simd',
      module,
      1,
      () => {},
      () => {},
      TRIAL_PAGES,
    )
  } catch (error) {
    if (error instanceof KernelMemoryError) return null
    throw error
  }
}
