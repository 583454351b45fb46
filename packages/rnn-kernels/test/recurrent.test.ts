import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cell, GateActivation } from '../src/cell'
import type { RecurrentShape, Runtime } from '../src/runtime'
import { JsRuntime } from '../src/runtimes/js/js-runtime'
import {
  builds,
  compute,
  copyOf,
  instructionSets,
  nativeRuntime,
  problem,
  REFERENCE,
  runtimes,
  wasmRuntime,
} from './runtimes'

/** The largest difference, relative to numbers over 1. */
function worst(found: Float32Array, expected: Float32Array): number {
  if (found?.length !== expected.length) return Number.POSITIVE_INFINITY
  return found.reduce(
    (max, value, k) => Math.max(max, Math.abs(value - expected[k]) / Math.max(1, Math.abs(expected[k]))),
    0,
  )
}

/** The worst difference of everything computed. */
function worstOf(found: Record<string, Float32Array>, expected: Record<string, Float32Array>): number {
  return Math.max(...Object.keys(expected).map((name) => worst(found[name], expected[name])))
}

const cells: [Cell, GateActivation][] = [
  ['lstm', 'sigmoid'],
  ['lstm', 'hard_sigmoid'],
  ['gru', 'sigmoid'],
  ['gru', 'hard_sigmoid'],
  ['gru_reset_before', 'sigmoid'],
  ['gru_reset_before', 'hard_sigmoid'],
  ['rnn_tanh', 'sigmoid'],
  ['rnn_relu', 'sigmoid'],
]

const shapes = fc.record({
  cell: fc.constantFrom(...cells),
  batch: fc.integer({ min: 1, max: 19 }),
  time: fc.integer({ min: 1, max: 6 }),
  inputSize: fc.integer({ min: 1, max: 35 }),
  hiddenSize: fc.integer({ min: 1, max: 35 }),
  reverse: fc.boolean(),
})

const shapeOf = ({
  cell: [cell, gateActivation],
  ...sizes
}: {
  cell: [Cell, GateActivation]
} & Omit<RecurrentShape, 'cell' | 'gateActivation'>): RecurrentShape => ({ cell, gateActivation, ...sizes })

describe.each(runtimes.slice(1))('%s', (_, make) => {
  const runtime = make()
  const plain = new JsRuntime()

  it('computes for every cell and shape what float64 arithmetic gives, with and without lengths, gradients too', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), fc.boolean(), (drawn, seed, hasLengths) => {
        const shape = shapeOf(drawn)
        const [found, expected] = [runtime, plain].map((each) => compute(each, shape, seed, hasLengths))
        expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
        expect(worstOf(found, expected)).toBeLessThan(1e-4)
      }),
      { numRuns: 120 },
    )
  })

  it.each(cells)(
    'computes a batch of %s with %s gates that is split and does not divide, with lengths',
    (cell, gateActivation) => {
      const shape = { cell, gateActivation, batch: 203, time: 9, inputSize: 13, hiddenSize: 41, reverse: true }
      expect(worstOf(compute(runtime, shape, 1, true), compute(plain, shape, 1, true))).toBeLessThan(1e-3)
    },
  )

  it('computes gradients of many rows of different lengths, whose steps fill the scratch more than once', () => {
    const many = fc.record({
      cell: fc.constantFrom(...cells),
      batch: fc.integer({ min: 40, max: 140 }),
      time: fc.integer({ min: 3, max: 9 }),
      inputSize: fc.integer({ min: 1, max: 5 }),
      hiddenSize: fc.integer({ min: 33, max: 100 }),
      reverse: fc.boolean(),
    })
    fc.assert(
      fc.property(many, fc.nat(), (drawn, seed) => {
        const [found, expected] = [runtime, plain].map((each) => compute(each, shapeOf(drawn), seed, true))
        expect(worstOf(found, expected)).toBeLessThan(1e-3)
      }),
      { numRuns: 12 },
    )
  })

  it.each(cells)('keeps an infinite input of %s with %s gates to its own weights', (cell, gateActivation) => {
    for (const hiddenSize of [7, 8, 16, 20]) {
      const shape = { ...{ cell, gateActivation, reverse: false }, batch: 2, time: 3, inputSize: 2, hiddenSize }
      const { inputs, upstream } = problem(shape, 5)
      const x = inputs.x.map((value, k) => (k === 3 ? Number.POSITIVE_INFINITY : value))
      const [found, expected] = [runtime, plain].map((each) => {
        const { saved, ...outputs } = each.recurrent.forward(shape, { ...inputs, x })
        const gradients = copyOf(saved?.backward(upstream, { x: true, initial: true }) ?? {})
        const all = {
          ...copyOf(outputs),
          ...Object.fromEntries(Object.entries(gradients).map(([n, v]) => [`d${n}`, v])),
        }
        saved?.release()
        return all
      })
      for (const [name, values] of Object.entries(expected)) {
        expect([name, Array.from(found[name], Number.isFinite)]).toEqual([name, Array.from(values, Number.isFinite)])
        const isClose = (value: number, k: number) => !Number.isFinite(value) || Math.abs(value - found[name][k]) < 1e-4
        expect([name, values.every(isClose)]).toEqual([name, true])
      }
    }
  })

  it('shows weights that are not finite, also where a sequence is one step', () => {
    const shape = { ...REFERENCE, batch: 1, time: 1 }
    const { inputs } = problem(shape)
    const weights = { ...inputs.weights(), weightHh: inputs.weights().weightHh.map(() => Number.NaN) }
    const { h } = runtime.recurrent.forward(shape, {
      ...{ ...inputs, initial: undefined, save: false },
      ...{ weights: () => weights, version: [weights] },
    })
    expect(h.every(Number.isNaN)).toBe(true)
  })

  it('gives the same bits every time', () => {
    expect(compute(make(), REFERENCE)).toEqual(compute(runtime, REFERENCE))
  })

  it('computes the same without saving as with it', () => {
    for (const cell of ['lstm', 'gru', 'gru_reset_before', 'rnn_tanh'] as const) {
      const shape = { ...REFERENCE, cell }
      const { inputs } = problem(shape)
      const { saved, ...views } = runtime.recurrent.forward(shape, inputs)
      const outputs = copyOf(views)
      saved?.release()
      expect(copyOf(runtime.recurrent.forward(shape, { ...inputs, save: false }))).toEqual(outputs)
    }
  })

  it('passes NaN on, and ends in finite numbers for weights that saturate the gates', () => {
    const { inputs } = problem(REFERENCE)
    const x = inputs.x.slice()
    x[0] = Number.NaN
    const forward = (values: Float32Array) =>
      runtime.recurrent.forward(REFERENCE, { ...inputs, x: values, save: false }).h
    expect(forward(x)[0]).toBe(Number.NaN)
    expect(forward(inputs.x.map((value) => value * 1e30)).every((value) => Math.abs(value) <= 1)).toBe(true)
  })

  it('leaves no subnormal numbers where gradients vanish: products of them take a hundred times as long', () => {
    for (const cell of ['lstm', 'gru', 'gru_reset_before', 'rnn_tanh'] as const) {
      const shape = { ...REFERENCE, cell, batch: 3, time: 400, inputSize: 2, hiddenSize: 16 }
      const { inputs, upstream } = problem(shape)
      const { saved } = runtime.recurrent.forward(shape, inputs)
      const { x } = saved?.backward({ h: upstream.h }, { x: true }) ?? {}
      const magnitudes = Array.from(x as Float32Array, Math.abs)
      expect(magnitudes.filter((value) => value > 0 && value < 2 ** -126)).toEqual([])
      expect(magnitudes.some((value) => value > 1e-3)).toBe(true)
      saved?.release()
    }
  })

  it('reads nothing past a row’s length: what is there may be NaN', () => {
    const shape = { ...REFERENCE, batch: 5, time: 7 }
    const { inputs } = problem(shape, 3, true)
    const lengths = inputs.lengths as Int32Array
    const row = shape.time * shape.inputSize
    const x = inputs.x.map((value, k) =>
      Math.floor((k % row) / shape.inputSize) < lengths[Math.floor(k / row)] ? value : Number.NaN,
    )
    const run = (values: Float32Array) =>
      copyOf(runtime.recurrent.forward(shape, { ...inputs, x: values, save: false }))
    expect(run(x)).toEqual(run(inputs.x))
  })
})

const compiled: [string, (threads: number) => Runtime][] = [
  ...builds.map((build): [string, (threads: number) => Runtime] => [build, (threads) => wasmRuntime(build, threads)]),
  ...instructionSets.map((name): [string, (threads: number) => Runtime] => [
    `native ${name}`,
    (threads) => nativeRuntime(name, threads),
  ]),
]

describe.each(compiled)('the %s kernels give the same bits', (_, make) => {
  it('on 1, 2, 3 and 5 threads, for every cell, with lengths and without', () => {
    const one = make(1)
    const others = [2, 3, 5].map((threads) => make(threads))
    for (const [cell, gateActivation] of cells) {
      for (const hasLengths of [false, true]) {
        const shape = { ...REFERENCE, cell, gateActivation, batch: 70, time: 6 }
        const expected = compute(one, shape, 2, hasLengths)
        for (const other of others) expect(compute(other, shape, 2, hasLengths)).toEqual(expected)
      }
    }
    for (const runtime of [one, ...others]) runtime.dispose()
  })
})

/** Kernels that must agree to the last bit: all that fuse multiply and add, and all that round twice. */
const families = [
  compiled.filter(([name]) => name === 'relaxed-simd' || (name.startsWith('native') && !name.endsWith('sse2'))),
  compiled.filter(([name]) => name === 'simd' || name === 'native sse2'),
].filter((family) => family.length > 1)

const pairs = families.flatMap(([[name, make], ...others]) =>
  others.map(([otherName, other]): [string, string, (typeof compiled)[0][1], (typeof compiled)[0][1]] => [
    otherName,
    name,
    other,
    make,
  ]),
)

describe.runIf(pairs.length > 0)('one source on every machine:', () => {
  it.each(pairs)('%s gives the bits of %s, for every cell, shape and lengths, gradients too', (_, __, make, first) => {
    const [found, expected] = [make(2), first(1)]
    fc.assert(
      fc.property(shapes, fc.nat(), fc.boolean(), (drawn, seed, hasLengths) => {
        const shape = shapeOf(drawn)
        expect(compute(found, shape, seed, hasLengths)).toEqual(compute(expected, shape, seed, hasLengths))
      }),
      { numRuns: 150 },
    )
    const large = { ...REFERENCE, batch: 203, hiddenSize: 72 }
    expect(compute(found, large, 5, true)).toEqual(compute(expected, large, 5, true))
    for (const runtime of [found, expected]) runtime.dispose()
  })
})

describe.each(runtimes)('a saved pass of %s', (_, make) => {
  const shape = { ...REFERENCE, batch: 2 }
  const saved = () => {
    const { inputs, upstream } = problem(shape)
    return { pass: make().recurrent.forward(shape, inputs).saved, upstream }
  }

  it('may be differentiated more than once, until it is released', () => {
    const { pass, upstream } = saved()
    const first = copyOf(pass?.backward(upstream, { x: true, initial: true }) ?? {})
    expect(copyOf(pass?.backward(upstream, { x: true, initial: true }) ?? {})).toEqual(first)
    pass?.release()
    expect(() => pass?.backward(upstream)).toThrow(expect.objectContaining({ code: 'KERNEL_STATE' }))
  })

  it('computes the gradients with respect to the inputs and the initial state only where they are wanted', () => {
    const { pass, upstream } = saved()
    const gradients = (wanted: object) => Object.keys(copyOf(pass?.backward(upstream, wanted) ?? {})).sort()
    const weights = ['biasHh', 'biasIh', 'weightHh', 'weightIh']
    expect(gradients({})).toEqual(weights)
    expect(gradients({ x: true })).toEqual([...weights, 'x'])
    expect(gradients({ initial: true })).toEqual([...weights.slice(0, 2), 'c', 'h', ...weights.slice(2)])
  })

  it('takes gradients that are absent for zeros', () => {
    const { pass, upstream } = saved()
    const zero = (values?: Float32Array) => new Float32Array(values?.length ?? 0)
    const explicit = copyOf(pass?.backward({ ...upstream, c: zero(upstream.c), output: zero(upstream.output) }) ?? {})
    expect(copyOf(pass?.backward({ h: upstream.h }) ?? {})).toEqual(explicit)
  })
})
