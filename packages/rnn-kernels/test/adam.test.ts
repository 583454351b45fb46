import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AdamMemory, adamCoefficients } from '../src'
import { adamUpdate } from '../src/optimize/adam-update'

describe('the Adam kernel', () => {
  it('gives the bits of the plain loop, for every size and setting', () => {
    const numbers = fc.array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(numbers, fc.constantFrom(0, 0.01), fc.integer({ min: 1, max: 2000 }), (values, weightDecay, step) => {
        const coefficients = adamCoefficients({ lr: 0.01, betas: [0.9, 0.999], eps: 1e-8, weightDecay }, step)
        const memory = new AdamMemory([values.length])
        const arrays = memory.allocate(values.length)
        arrays.theta.set(values)
        arrays.gradient.set(values.map((value) => value * 0.3 - 1))
        arrays.m.set(values.map((value) => value / 7))
        arrays.v.set(values.map((value) => value * value))
        const plain = { theta: arrays.theta.slice(), m: arrays.m.slice(), v: arrays.v.slice() }
        adamUpdate({ ...plain, gradient: arrays.gradient }, coefficients)
        memory.update(arrays, coefficients)
        expect({ theta: arrays.theta, m: arrays.m, v: arrays.v }).toEqual(plain)
      }),
    )
  })
})
