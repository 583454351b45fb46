import { Generator } from '@rowwise/torch-random'
import type { ForwardInputs, LSTMEngine, LSTMShape } from '../src/engine'
import { JsEngine } from '../src/js/js-engine'
import { kernelModule } from '../src/wasm/module'
import { WasmEngine } from '../src/wasm/wasm-engine'

/** An engine on one WASM path. */
export function wasmEngine(path: 'simd' | 'relaxed-simd', threads: number, onLoss = (_: string) => {}): WasmEngine {
  const module = kernelModule(path)
  if (module === null) throw new Error(`this runtime has no ${path}`)
  return new WasmEngine(path, module, threads, onLoss)
}

/** Every path, by name. */
export const engines: [string, () => LSTMEngine][] = [
  ['plain JavaScript', () => new JsEngine()],
  ['SIMD on 1 thread', () => wasmEngine('simd', 1)],
  ['SIMD on 2 threads', () => wasmEngine('simd', 2)],
  ['SIMD on 3 threads', () => wasmEngine('simd', 3)],
  ['relaxed SIMD on 1 thread', () => wasmEngine('relaxed-simd', 1)],
  ['relaxed SIMD on 2 threads', () => wasmEngine('relaxed-simd', 2)],
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
  const gradients = saved?.backward(upstream)
  const dx = saved?.inputGradient()
  saved?.release()
  return {
    ...outputs,
    ...Object.fromEntries(Object.entries(gradients ?? {}).map(([name, value]) => [`d ${name}`, value])),
    dx,
  } as Record<string, Float32Array>
}
