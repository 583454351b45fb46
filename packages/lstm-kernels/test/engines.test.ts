import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LSTMGradients } from '../src/engine'
import { JsEngine } from '../src/js/js-engine'
import { compute, copyOf, engines, problem, REFERENCE, wasmEngine, wideEngine } from './engines'

/** The largest difference, relative to numbers over 1. */
function worst(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY
  return found.reduce(
    (max, value, k) => Math.max(max, Math.abs(value - expected[k]) / Math.max(1, Math.abs(expected[k]))),
    0,
  )
}

const shapes = fc.record({
  batch: fc.integer({ min: 1, max: 9 }),
  time: fc.integer({ min: 1, max: 6 }),
  inputSize: fc.integer({ min: 1, max: 35 }),
  hiddenSize: fc.integer({ min: 1, max: 35 }),
  reverse: fc.boolean(),
})

describe.each(engines.slice(1))('%s', (_, make) => {
  const engine = make()
  const plain = new JsEngine()

  it('computes for every shape what float64 arithmetic gives, gradients too', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const [found, expected] = [compute(engine, shape, seed), compute(plain, shape, seed)]
        const errors = Object.entries(expected).map(([name, values]) => [name, worst(found[name], values) < 1e-4])
        expect(errors).toEqual(Object.keys(expected).map((name) => [name, true]))
      }),
      { numRuns: 60 },
    )
  })

  it('computes a batch that is split, and one that does not divide, as float64 arithmetic does', () => {
    const uneven = { ...REFERENCE, batch: 131, hiddenSize: 50 }
    const backwards = { batch: 203, time: 9, inputSize: 13, hiddenSize: 41, reverse: true }
    for (const shape of [REFERENCE, uneven, backwards]) {
      const [found, expected] = [compute(engine, shape), compute(plain, shape)]
      for (const [name, values] of Object.entries(expected))
        expect([name, worst(found[name], values) < 1e-3]).toEqual([name, true])
    }
  })

  it('gives the same bits every time', () => {
    const [first, second] = [compute(engine, REFERENCE), compute(make(), REFERENCE)]
    expect(second).toEqual(first)
  })

  it('computes the same without saving as with it', () => {
    const { inputs } = problem(REFERENCE)
    const { saved, ...lent } = engine.forward(REFERENCE, inputs)
    const outputs = copyOf(lent)
    saved?.release()
    expect(engine.forward(REFERENCE, { ...inputs, save: false })).toEqual(outputs)
  })

  it('passes NaN on, and ends in finite numbers for weights that saturate the gates', () => {
    const { inputs } = problem(REFERENCE)
    const x = inputs.x.slice()
    x[0] = Number.NaN
    expect(engine.forward(REFERENCE, { ...inputs, x, save: false }).h[0]).toBe(Number.NaN)
    const huge = engine.forward(REFERENCE, { ...inputs, x: inputs.x.map((value) => value * 1e30), save: false })
    expect(huge.h.every((value) => Math.abs(value) <= 1)).toBe(true)
  })
})

describe.each(engines)('a saved pass of %s', (_, make) => {
  const saved = () => {
    const { inputs, upstream } = problem({ ...REFERENCE, batch: 2 })
    return { pass: make().forward({ ...REFERENCE, batch: 2 }, inputs).saved, upstream }
  }

  it('refuses a second backward pass, because the first has used it up', () => {
    const { pass, upstream } = saved()
    pass?.backward(upstream)
    expect(() => pass?.backward(upstream)).toThrow(expect.objectContaining({ code: 'KERNEL_STATE' }))
  })

  it('computes the gradients by the inputs and the initial state only where they are wanted', () => {
    const { pass, upstream } = saved()
    const all = saved().pass?.backward(upstream, { byInputs: true, byInitial: true }) ?? {}
    const { x, h, c, ...byWeights } = all as LSTMGradients
    expect(x).toHaveLength(2 * REFERENCE.time * REFERENCE.inputSize)
    expect([h?.length, c?.length]).toEqual(Array(2).fill(2 * REFERENCE.hiddenSize))
    expect(pass?.backward(upstream)).toEqual(byWeights)
    expect(saved().pass?.backward(upstream, { byInputs: true })).toEqual({ ...byWeights, x })
    expect(saved().pass?.backward(upstream, { byInitial: true })).toEqual({ ...byWeights, h, c })
  })

  it('takes gradients that are absent for zeros', () => {
    const { pass, upstream } = saved()
    const zero = (values: Float32Array) => new Float32Array(values.length)
    const explicit = saved().pass?.backward({ ...upstream, c: zero(upstream.c), output: zero(upstream.output) })
    expect(pass?.backward({ h: upstream.h })).toEqual(explicit)
  })
})

describe('the memory of the kernels', () => {
  it('does not grow over 10 000 training steps whose weights change every time', { timeout: 60_000 }, () => {
    const engine = wasmEngine('simd', 2)
    const shape = { ...REFERENCE, batch: 4, time: 3 }
    const { inputs, upstream } = problem(shape)
    const step = () => {
      const { saved } = engine.forward(shape, { ...inputs, weightsKey: [{}] })
      saved?.backward(upstream)
      saved?.release()
    }
    for (let warmUp = 0; warmUp < 10; warmUp++) step()
    const before = [engine.bytesUsed, engine.bytesReserved]
    for (let count = 0; count < 10_000; count++) step()
    expect([engine.bytesUsed, engine.bytesReserved]).toEqual(before)
  })

  it('is given back when shapes change', () => {
    const engine = wasmEngine('simd', 1)
    const run = (batch: number) => compute(engine, { ...REFERENCE, batch, time: 4 })
    for (let batch = 1; batch < 20; batch++) run(batch)
    const before = engine.bytesUsed
    for (let round = 0; round < 3; round++) for (let batch = 1; batch < 20; batch++) run(batch)
    expect(engine.bytesUsed).toBe(before)
  })

  it('has one typed error for a batch that does not fit', () => {
    const shape = { ...REFERENCE, batch: 100_000 }
    const huge = { ...problem({ ...REFERENCE, batch: 1 }).inputs, initial: undefined }
    expect(() => wasmEngine('simd', 1).forward(shape, huge)).toThrow(expect.objectContaining({ code: 'KERNEL_MEMORY' }))
  })
})

describe('the wide build', () => {
  it('computes for every shape the bits of the narrow one', () => {
    const [wide, narrow] = [wideEngine(1), wasmEngine('relaxed-simd', 1)]
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        expect(compute(wide, shape, seed)).toEqual(compute(narrow, shape, seed))
      }),
      { numRuns: 60 },
    )
    expect(compute(wide, REFERENCE)).toEqual(compute(narrow, REFERENCE))
  })
})
