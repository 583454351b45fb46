import { Generator } from '@rowwise/torch-random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adamCoefficients } from '../src'
import { jsAdam } from '../src/runtimes/js/adam'
import { differing, runtimes } from './runtimes'

describe.each(runtimes.slice(1))('Adam of %s', (_, make) => {
  const { optimize } = make()

  it('gives the bits of the plain loop, for every size and setting', () => {
    const numbers = fc.array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: 1, maxLength: 70 })
    fc.assert(
      fc.property(numbers, fc.constantFrom(0, 0.01), fc.integer({ min: 1, max: 2000 }), (values, weightDecay, step) => {
        const coefficients = adamCoefficients({ lr: 0.01, betas: [0.9, 0.999], eps: 1e-8, weightDecay }, step)
        const theta = Float32Array.from({ length: Math.max(3, values.length) }, (_, k) => values[k] ?? k)
        const gradient = theta.map((value) => value * 0.3 - 1)
        // The second parameter begins where the first ends.
        const [found, expected] = [optimize.adam, jsAdam].map((adam) =>
          adam([3, values.length]).map(({ m, v, update }, place) => {
            const size = place === 0 ? 3 : values.length
            m.set(theta.subarray(0, size).map((value) => value / 7))
            v.set(theta.subarray(0, size).map((value) => value * value))
            const next = new Float32Array(size)
            update(theta.subarray(0, size), gradient.subarray(0, size), next, coefficients)
            return { next, m, v }
          }),
        )
        expect(found.map(({ next, m, v }) => [next, m, v].map((array) => Array.from(array)))).toEqual(
          expected.map(({ next, m, v }) => [next, m, v].map((array) => Array.from(array))),
        )
      }),
    )
  })

  it('gives them for a parameter that threads share', () => {
    const size = 150_001
    const coefficients = adamCoefficients({ lr: 0.01, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 }, 3)
    const theta = new Generator(3).uniform(new Float32Array(size), -1, 1)
    const gradient = theta.map((value) => value * 0.3 - 1)
    const [found, expected] = [optimize.adam, jsAdam].map((adam) => {
      const [{ m, v, update }] = adam([size])
      const next = new Float32Array(size)
      update(theta, gradient, next, coefficients)
      return { next, m: m.slice(), v: v.slice() }
    })
    expect(differing(found, expected)).toEqual([])
  })
})
