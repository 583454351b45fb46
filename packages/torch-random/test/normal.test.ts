import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Generator, RandomRangeError } from '../src'

interface Draw {
  seed: number
  normal?: number[]
  few_normals?: number[]
  randint?: number[]
}

const { draws } = JSON.parse(readFileSync(new URL('./vectors/draws.json', import.meta.url), 'utf8')) as {
  draws: Draw[]
}
const normals = draws.filter((draw): draw is Required<Draw> => draw.normal !== undefined)

describe('Generator.normal', () => {
  it.each(normals)('draws what PyTorch’s normal_ draws, within 2e-6, seed $seed', ({ seed, normal }) => {
    const found = new Generator(seed).normal(new Float32Array(normal.length))
    const worst = Math.max(...normal.map((value, at) => Math.abs(found[at] - value) / Math.max(1, Math.abs(value))))
    expect(normal.length).toBeGreaterThanOrEqual(16)
    expect(worst).toBeLessThan(2e-6)
  })

  it.each(normals)(
    'draws fewer than 16 as PyTorch does, after those, and integers then, seed $seed',
    ({ seed, normal, few_normals, randint }) => {
      const generator = new Generator(seed)
      generator.normal(new Float32Array(normal.length))
      const out = new Float32Array(few_normals.length)
      expect(generator.normal(out, 1, 2)).toBe(out)
      few_normals.forEach((value, at) => {
        expect(Math.abs(out[at] - value)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value)))
      })
      expect(randint.map(() => generator.random() % 1000)).toEqual(randint)
    },
  )

  it.each([1, 3, 15])('keeps the second of two numbers for the next call, also in a state: %i items', (items) => {
    const [whole, parts] = [new Generator(5), new Generator(5)]
    const all = Array.from({ length: 3 }, () => Array.from(whole.normal(new Float32Array(items)))).flat()
    const found = [0, 1, 2].flatMap(() => {
      const resumed = new Generator(0).setState(parts.state())
      const numbers = Array.from(resumed.normal(new Float32Array(items)))
      parts.setState(resumed.state())
      return numbers
    })
    expect(found).toEqual(all)
    expect(new Set(all).size).toBe(all.length)
  })

  it('has the mean and the deviation that are asked for', () => {
    const values = new Generator(1).normal(new Float32Array(100_000), 3, 0.5)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    expect(mean).toBeCloseTo(3, 2)
    expect(deviation).toBeCloseTo(0.5, 2)
  })

  it.each([
    [Number.NaN, 1],
    [0, -1],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses a mean of %d and a deviation of %d', (mean, std) => {
    expect(() => new Generator().normal(new Float32Array(2), mean, std)).toThrow(RandomRangeError)
  })
})
