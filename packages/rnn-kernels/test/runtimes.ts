import { Generator } from '@rowwise/torch-random'
import { GATES, hasCellState } from '../src/cell'
import type { RecurrentGradients, RecurrentInputs, RecurrentShape, Runtime, Upstream } from '../src/runtime'
import type { CompiledRuntime } from '../src/runtimes/compiled/compiled-runtime'
import { JsRuntime } from '../src/runtimes/js/js-runtime'
import { findAddon } from '../src/runtimes/native/find-addon'
import { nativeRuntime as makeNative } from '../src/runtimes/native/native-runtime'
import { kernelModule } from '../src/runtimes/wasm/module'
import { wasmRuntime as makeWasm } from '../src/runtimes/wasm/wasm-runtime'

/** The builds that this machine runs: Node 20 has no relaxed SIMD. */
export const builds = (['simd', 'relaxed-simd'] as const).filter((build) => kernelModule(build) !== null)

/** A runtime of a build. */
export function wasmRuntime(
  build: 'simd' | 'relaxed-simd',
  threads: number,
  onLoss = (_: string) => {},
): CompiledRuntime {
  return makeWasm(build, threads, { onLoss, onObstacle: onLoss }) as CompiledRuntime
}

/** The instruction sets of the addon that this processor has; none where no addon was built. */
export const instructionSets = (() => {
  const found = findAddon()
  return 'addon' in found ? found.addon.machines.filter((name) => name !== '') : []
})()

/** The addon with an instruction set. */
export function nativeRuntime(instructions: string, threads: number, onLoss = (_: string) => {}): CompiledRuntime {
  return makeNative(threads, { onLoss, onObstacle: onLoss }, instructions) as CompiledRuntime
}

/** Every runtime, by name. */
export const runtimes: [string, () => Runtime][] = [
  ['plain JavaScript', () => new JsRuntime()],
  ...builds.flatMap((build): [string, () => Runtime][] => [
    [`${build} on 1 thread`, () => wasmRuntime(build, 1)],
    [`${build} on 2 threads`, () => wasmRuntime(build, 2)],
  ]),
  ...instructionSets.flatMap((name): [string, () => Runtime][] => [
    [`native ${name} on 1 thread`, () => nativeRuntime(name, 1)],
    [`native ${name} on 2 threads`, () => nativeRuntime(name, 2)],
  ]),
]

/** The reference network's layer. */
export const REFERENCE: RecurrentShape = {
  ...{ cell: 'lstm', gateActivation: 'sigmoid', reverse: false },
  ...{ batch: 64, time: 28, inputSize: 28, hiddenSize: 64 },
}

/** Random inputs, weights, initial states and upstream gradients of a shape. */
export function problem(shape: RecurrentShape, seed = 0, hasLengths = false) {
  const { cell, batch, time, inputSize, hiddenSize } = shape
  const generator = new Generator(seed)
  const draw = (count: number, bound: number) => generator.uniform(new Float32Array(count), -bound, bound)
  const rows = GATES[cell] * hiddenSize
  const bound = 1 / Math.sqrt(hiddenSize)
  const states = () => ({
    h: draw(batch * hiddenSize, 1),
    ...(hasCellState(cell) && { c: draw(batch * hiddenSize, 1) }),
  })
  const weights = {
    weightIh: draw(rows * inputSize, bound),
    weightHh: draw(rows * hiddenSize, bound),
    biasIh: draw(rows, bound),
    biasHh: draw(rows, bound),
  }
  const inputs: RecurrentInputs & { x: Float32Array } = {
    ...{ x: draw(batch * time * inputSize, 1), weights: () => weights, version: [weights], initial: states() },
    ...(hasLengths && { lengths: Int32Array.from(draw(batch, 1), (value) => 1 + Math.floor(Math.abs(value) * time)) }),
    ...{ save: true, returnOutput: true },
  }
  const upstream: Upstream = { output: draw(batch * time * hiddenSize, 1), ...states() }
  return { inputs, upstream }
}

/** Copies of what a runtime lends. */
export function copyOf(views: object): Record<string, Float32Array> {
  const arrays = Object.entries(views).filter(([, value]) => value instanceof Float32Array)
  return Object.fromEntries(arrays.map(([name, values]) => [name, (values as Float32Array).slice()]))
}

/** Outputs and all gradients of a problem; `x` in the place of its inputs. */
export function compute(
  runtime: Runtime,
  shape: RecurrentShape,
  seed = 0,
  hasLengths = false,
  x?: RecurrentInputs['x'],
) {
  const { inputs, upstream } = problem(shape, seed, hasLengths)
  const { saved, ...views } = runtime.recurrent.forward(shape, { ...inputs, ...(x && { x }) })
  const outputs = copyOf(views)
  const gradients: RecurrentGradients | undefined = saved?.backward(upstream, { x: true, initial: true })
  const named = Object.entries(copyOf(gradients ?? {})).map(([name, values]) => [`gradient of ${name}`, values])
  saved?.release()
  return { ...outputs, ...(Object.fromEntries(named) as Record<string, Float32Array>) }
}

/** The names of arrays whose bits differ: a comparison of large ones that does not take seconds. */
export function differing(found: Record<string, Float32Array>, expected: Record<string, Float32Array>): string[] {
  return Object.keys(expected).filter((name) => {
    const [one, other] = [found[name], expected[name]].map(
      (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    )
    return Buffer.compare(one, other) !== 0
  })
}
