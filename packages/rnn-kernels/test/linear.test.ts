import { Generator } from '@rowwise/torch-random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsRuntime } from '../src/runtimes/js/js-runtime'
import { copyOf, runtimes } from './runtimes'

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 20 }),
  inFeatures: fc.integer({ min: 1, max: 40 }),
  outFeatures: fc.integer({ min: 1, max: 20 }),
})

describe.each(runtimes.slice(1))('a linear layer of %s', (_, make) => {
  const { linear } = make()
  const plain = new JsRuntime().linear

  it('computes for every shape what float64 arithmetic gives, with and without a bias, gradients too', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.boolean(), (shape, seed, hasBias) => {
        const { rows, inFeatures, outFeatures } = shape
        const generator = new Generator(seed)
        const draw = (count: number) => generator.uniform(new Float32Array(count), -1, 1)
        const [x, weight, dY] = [draw(rows * inFeatures), draw(outFeatures * inFeatures), draw(rows * outFeatures)]
        const bias = hasBias ? draw(outFeatures) : undefined
        const [found, expected] = [linear, plain].map((each) => ({
          ...{ y: each.forward(shape, x, weight, bias).slice() },
          ...copyOf(each.gradients(shape, dY, x, weight)),
        }))
        for (const [name, values] of Object.entries(expected) as [keyof typeof found, Float32Array][]) {
          const error = values.reduce((max, value, k) => Math.max(max, Math.abs(value - found[name][k])), 0)
          expect([name, error < 1e-4, found[name].length]).toEqual([name, true, values.length])
        }
      }),
      { numRuns: 100 },
    )
  })
})
