import { Generator } from '@rowwise/torch-random'
import type { ForwardInputs, LSTMEngine, LSTMShape } from '../src/engine'
import { WIDE_MODULE } from '../src/generated/modules'
import { JsEngine } from '../src/js/js-engine'
import { type KernelModule, kernelModule, wideModule } from '../src/wasm/module'
import { withFeatures } from '../src/wasm/v8-flags'
import { WasmEngine } from '../src/wasm/wasm-engine'

/** An engine on one WASM path. */
export function wasmEngine(
  path: 'simd' | 'relaxed-simd',
  threads: number,
  onLoss = (_: string) => {},
  module: KernelModule | null = kernelModule(path),
): WasmEngine {
  if (module === null) throw new Error(`this runtime has no ${path}`)
  return new WasmEngine(path, module, threads, onLoss)
}

/** The build for 256-bit vectors: with them where this runtime makes them, as plain relaxed SIMD elsewhere. */
export function wideEngine(threads: number): WasmEngine {
  const compile = () => new WebAssembly.Module(Buffer.from(WIDE_MODULE, 'base64'))
  const module = wideModule() ?? {
    module: withFeatures(['relaxed-simd'], compile),
    vectorBits: 128,
  }
  return wasmEngine('relaxed-simd', threads, undefined, module)
}

/** Every path, by name. */
export const engines: [string, () => LSTMEngine][] = [
  ['plain JavaScript', () => new JsEngine()],
  ['SIMD on 1 thread', () => wasmEngine('simd', 1)],
  ['SIMD on 2 threads', () => wasmEngine('simd', 2)],
  ['SIMD on 3 threads', () => wasmEngine('simd', 3)],
  ['relaxed SIMD on 1 thread', () => wasmEngine('relaxed-simd', 1)],
  ['relaxed SIMD on 2 threads', () => wasmEngine('relaxed-simd', 2)],
  ['relaxed SIMD on 3 threads', () => wasmEngine('relaxed-simd', 3)],
  ['the wide build on 1 thread', () => wideEngine(1)],
  ['the wide build on 2 threads', () => wideEngine(2)],
]

/** The shape of the reference network's batch, which is large enough to be split. */
export const REFERENCE: LSTMShape = { batch: 64, time: 28, inputSize: 28, hiddenSize: 64, reverse: false }

/** Inputs and upstream gradients for a shape, the same for the same seed. */
export function problem(
  shape: LSTMShape,
  seed = 1,
): { inputs: ForwardInputs; upstream: { h: Float32Array; c: Float32Array; output: Float32Array } } {
  const { batch, time, inputSize, hiddenSize } = shape
  const generator = new Generator(seed)
  const draw = (size: number, bound: number) => generator.uniform(new Float32Array(size), -bound, bound)
  const bound = 1 / Math.sqrt(hiddenSize)
  const weights = {
    weightIh: draw(4 * hiddenSize * inputSize, bound),
    weightHh: draw(4 * hiddenSize * hiddenSize, bound),
    biasIh: draw(4 * hiddenSize, bound),
    biasHh: draw(4 * hiddenSize, bound),
  }
  const states = batch * hiddenSize
  return {
    inputs: {
      x: draw(batch * time * inputSize, 2),
      weights: () => weights,
      weightsKey: [weights],
      initial: { h: draw(states, 1), c: draw(states, 1) },
      save: true,
      returnOutput: true,
    },
    upstream: { h: draw(states, 1), c: draw(states, 1), output: draw(states * time, 1) },
  }
}

/** Everything that an engine computes for a problem. */
export function compute(engine: LSTMEngine, shape: LSTMShape, seed = 1) {
  const { inputs, upstream } = problem(shape, seed)
  const { saved, ...outputs } = engine.forward(shape, inputs)
  const gradients = Object.entries(saved?.backward(upstream, { byInputs: true, byInitial: true }) ?? {}).map(
    ([name, value]) => [`d ${name}`, value],
  )
  const computed = copyOf({ ...outputs, ...Object.fromEntries(gradients) })
  saved?.release()
  return computed
}

/** What an engine lends, to be kept. */
export function copyOf(lent: object): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(lent).map(([name, values]) => [name, (values as Float32Array).slice()]))
}
