import { describe, expect, it } from 'vitest'
import { wasmEngine } from './engines'

const exact = {
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  tanh: (x: number) => Math.tanh(x),
}

/** The distance of two float32 numbers next to each other at `value`. */
function ulp(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(value) || Number.MIN_VALUE)))
  return 2 ** (exponent - 23)
}

/** Numbers of both signs and every magnitude, spaced as floats are, to 100. */
const everywhere = Float32Array.from({ length: 400_000 }, (_, k) => (k % 2 ? -1 : 1) * 10 ** (-12 + (14 * k) / 400_000))

describe.each(['simd', 'relaxed-simd'] as const)('the activations of the %s kernels', (path) => {
  const engine = wasmEngine(path, 1)

  it.each([
    ['sigmoid', 3],
    ['tanh', 4],
  ] as const)('%s is within %i units in the last place of float64 over the whole range', (which, limit) => {
    const found = engine.activate(which, everywhere)
    const errors = found.map((value, k) => {
      const expected = exact[which](everywhere[k])
      return Math.abs(expected) < 2 ** -120 ? 0 : Math.abs(value - expected) / ulp(expected)
    })
    expect(errors.reduce((max, error) => Math.max(max, error), 0)).toBeLessThan(limit)
  })

  it('saturate exactly, and pass NaN on', () => {
    const edges = Float32Array.of(
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e30,
      -1e30,
      0,
      -0,
      Number.NaN,
      20,
    )
    expect([...engine.activate('tanh', edges)]).toEqual([1, -1, 1, -1, 0, 0, Number.NaN, 1])
    const sigmoid = [...engine.activate('sigmoid', edges)]
    expect([sigmoid[0], sigmoid[2], sigmoid[4], sigmoid[5], sigmoid[6]]).toEqual([1, 1, 0.5, 0.5, Number.NaN])
    expect(sigmoid[1]).toBeLessThan(1e-38)
    expect(sigmoid[3]).toBeLessThan(1e-38)
  })
})
