import { describe, expect, it } from 'vitest'
import { builds, wasmRuntime } from './runtimes'

/** The distance of two float32 numbers next to each other at `value`. */
function ulp(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(value) || Number.MIN_VALUE)))
  return 2 ** (exponent - 23)
}

/** Numbers of both signs and every magnitude, spaced as floats are, to 100. */
const everywhere = Float32Array.from({ length: 400_000 }, (_, k) => (k % 2 ? -1 : 1) * 10 ** (-12 + (14 * k) / 400_000))

const exact = { sigmoid: (x: number) => 1 / (1 + Math.exp(-x)), tanh: (x: number) => Math.tanh(x) }

describe.each(builds)('the activations of the %s kernels', (build) => {
  const runtime = wasmRuntime(build, 1)
  const one = { gateActivation: 'sigmoid', reverse: false, time: 1, inputSize: 1, hiddenSize: 1 } as const

  /** h of an RNN is tanh x; c of an LSTM whose g saturates is σ(x) · 1. */
  const apply = {
    tanh: (x: Float32Array) => run('rnn_tanh', x, [1], [0]).h,
    sigmoid: (x: Float32Array) => run('lstm', x, [1, 0, 0, 0], [0, 0, 30, 0]).c as Float32Array,
  }

  function run(cell: 'lstm' | 'rnn_tanh', x: Float32Array, weights: number[], biases: number[]) {
    const gates = weights.length
    const values = {
      weightIh: Float32Array.from(weights),
      weightHh: new Float32Array(gates),
      biasIh: Float32Array.from(biases),
      biasHh: new Float32Array(gates),
    }
    const inputs = { x, weights: () => values, version: [values], save: false, returnOutput: false }
    return runtime.recurrent.forward({ ...one, cell, batch: x.length }, inputs)
  }

  it.each([
    ['sigmoid', 3],
    ['tanh', 4],
  ] as const)('%s is within %i units in the last place of float64 over the whole range', (which, limit) => {
    const found = apply[which](everywhere)
    const errors = found.map((value, k) => {
      const expected = exact[which](everywhere[k])
      return Math.abs(expected) < 2 ** -120 ? 0 : Math.abs(value - expected) / ulp(expected)
    })
    expect(errors.reduce((max, error) => Math.max(max, error), 0)).toBeLessThan(limit)
  })

  it('saturate exactly, and pass NaN on', () => {
    const edges = Float32Array.of(1e30, -1e30, 0, Number.NaN, 20)
    const infinite = Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
    expect([...apply.tanh(edges), ...apply.tanh(infinite)]).toEqual([1, -1, 0, Number.NaN, 1, 1, -1])
    const [large, small, ...rest] = apply.sigmoid(edges)
    expect([large, ...rest.slice(0, 2)]).toEqual([1, 0.5, Number.NaN])
    expect(small).toBeLessThan(1e-38)
  })
})
