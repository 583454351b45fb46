import { Generator } from '@rowwise/torch-random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cell, GateActivation } from '../src/cell'
import type { Lookup, RecurrentShape, Runtime } from '../src/runtime'
import { compute, copyOf, problem, runtimes } from './runtimes'

const cells: [Cell, GateActivation][] = [
  ['lstm', 'sigmoid'],
  ['lstm', 'hard_sigmoid'],
  ['gru', 'sigmoid'],
  ['gru_reset_before', 'hard_sigmoid'],
  ['rnn_tanh', 'sigmoid'],
  ['rnn_relu', 'sigmoid'],
]

/** Tokens of so many vectors, and the rows that they stand for. */
function lookupOf({ batch, time, inputSize }: RecurrentShape, vocabulary: number, seed: number) {
  const generator = new Generator(seed)
  const vectors = generator.uniform(new Float32Array(vocabulary * inputSize), -1, 1)
  const tokens = Int32Array.from(generator.uniform(new Float32Array(batch * time), 0, vocabulary), Math.floor)
  const rows = Float32Array.from(
    { length: tokens.length * inputSize },
    (_, at) => vectors[tokens[Math.floor(at / inputSize)] * inputSize + (at % inputSize)],
  )
  return { lookup: { tokens, vectors }, rows }
}

/** The sums of what the steps that read a vector have: the gradient with respect to it. */
function sumsByToken({ tokens, vectors }: Lookup, width: number, gradients: Float32Array): Float32Array {
  const sums = new Float32Array(vectors.length)
  gradients.forEach((gradient, at) => {
    sums[tokens[Math.floor(at / width)] * width + (at % width)] += gradient
  })
  return sums
}

const sizes = fc.record({
  cell: fc.constantFrom(...cells),
  batch: fc.integer({ min: 1, max: 40 }),
  time: fc.integer({ min: 1, max: 7 }),
  inputSize: fc.integer({ min: 1, max: 20 }),
  hiddenSize: fc.integer({ min: 1, max: 40 }),
  reverse: fc.boolean(),
})

describe.each(runtimes)('a lookup, %s', (_, make) => {
  const runtime = make()

  it('computes what its rows do, and for each vector the sum of their gradients', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 1, max: 30 }),
        fc.nat(),
        fc.boolean(),
        (drawn, vocabulary, seed, hasLengths) => {
          const {
            cell: [cell, gateActivation],
            ...rest
          } = drawn
          const shape = { cell, gateActivation, ...rest }
          const { lookup, rows } = lookupOf(shape, vocabulary, seed)
          const found: Record<string, Float32Array> = compute(runtime, shape, seed, hasLengths, lookup)
          const expected: Record<string, Float32Array> = compute(runtime, shape, seed, hasLengths, rows)
          expected['gradient of x'] = sumsByToken(lookup, shape.inputSize, expected['gradient of x'])
          expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort())
          for (const [name, values] of Object.entries(expected)) {
            expect(found[name].length, name).toBe(values.length)
            for (let at = 0; at < values.length; at++)
              expect(Math.abs(found[name][at] - values[at]), name).toBeLessThan(
                1e-4 * Math.max(1, Math.abs(values[at])),
              )
          }
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe.each(runtimes.filter(([name]) => name.endsWith('1 thread')))('a lookup, %s', (name, make) => {
  it('has the same bits on 2 threads', () => {
    const shape: RecurrentShape = {
      ...{ cell: 'gru', gateActivation: 'sigmoid', reverse: false },
      ...{ batch: 70, time: 30, inputSize: 24, hiddenSize: 70 },
    }
    const { lookup } = lookupOf(shape, 50, 1)
    const two = runtimes.find(([other]) => other === name.replace('1 thread', '2 threads'))?.[1] as () => Runtime
    expect(compute(two(), shape, 1, true, lookup)).toEqual(compute(make(), shape, 1, true, lookup))
  })
})

describe.each(runtimes)('a lookup, %s', (_, make) => {
  const shape: RecurrentShape = {
    ...{ cell: 'lstm', gateActivation: 'sigmoid', reverse: false },
    ...{ batch: 2, time: 3, inputSize: 2, hiddenSize: 3 },
  }
  const tokens = Int32Array.of(0, 0, 2, 0, 2, 2)

  it('ignores vectors that no step reads: their gradient is zero', () => {
    const vectors = Float32Array.of(1, 2, Number.POSITIVE_INFINITY, Number.NaN, 3, 4)
    const finite = Float32Array.of(1, 2, 5, 6, 3, 4)
    const [found, expected] = [vectors, finite].map((each) =>
      compute(make(), shape, 1, false, { tokens, vectors: each }),
    )
    expect(found).toEqual(expected)
    expect(Array.from((found as Record<string, Float32Array>)['gradient of x'].subarray(2, 4))).toEqual([0, 0])
  })

  it('has the gradients of what it read, whatever becomes of tokens, vectors and weights', () => {
    const vectors = Float32Array.of(1, 2, 5, 6, 3, 4)
    const { inputs, upstream } = problem(shape, 1)
    const weights = inputs.weights()
    const pass = (isChanged: boolean) => {
      const lookup = { tokens: tokens.slice(), vectors: vectors.slice() }
      const own = Object.fromEntries(Object.entries(weights).map(([name, of]) => [name, of.slice()])) as typeof weights
      const { saved } = make().recurrent.forward(shape, { ...inputs, x: lookup, weights: () => own, version: [{}] })
      for (const array of isChanged ? [lookup.tokens, lookup.vectors, ...Object.values(own)] : []) array.fill(1)
      return copyOf(saved?.backward(upstream, { x: true }) ?? {})
    }
    expect(pass(true)).toEqual(pass(false))
  })
})
