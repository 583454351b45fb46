import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configureKernels, type KernelOptions, softmaxRows } from '../src'

const paths = (['native', 'simd', 'js', 'off'] as const).filter((path) => {
  try {
    configureKernels({ path })
    return true
  } catch {
    return false
  }
})

beforeAll(async () => {
  await tf.setBackend('wasm')
})
afterAll(() => void configureKernels({}))

/** The formula, value by value, in float64. */
function reference(logits: Float32Array, classes: number) {
  const probabilities = new Float32Array(logits.length)
  const totals: number[] = []
  for (let begin = 0; begin < logits.length; begin += classes) {
    const row = Array.from(logits.subarray(begin, begin + classes))
    const max = Math.max(...row)
    const exponentials = row.map((z) => Math.exp(z - max))
    const total = exponentials.reduce((sum, value) => sum + value, 0)
    probabilities.set(
      Float32Array.from(exponentials, (value) => Math.fround(value) / total),
      begin,
    )
    totals.push(max, total)
  }
  return { probabilities, totals }
}

const found = (path: KernelOptions['path'], logits: Float32Array, classes: number) => {
  configureKernels({ path })
  const { probabilities, totals } = softmaxRows(logits, classes)
  return { probabilities, totals: Array.from(totals.subarray(0, (2 * logits.length) / classes)) }
}

describe.each(paths)('softmaxRows with %s kernels', (path) => {
  it.each([
    [1, 1],
    [10, 3],
    [64, 30],
    [7, 200],
    [37, 1000],
  ])('has the bits of Math.exp, %i classes up to ±%i', (classes, reach) => {
    const logits = new Generator(classes).uniform(new Float32Array(classes * 500), -reach, reach)
    expect(found(path, logits, classes)).toEqual(reference(logits, classes))
  })

  it('has them for differences of all sizes, to the smallest', () => {
    const differences = Array.from({ length: 40_000 }, (_, k) => -(2 ** (-40 + k / 800)))
    const logits = Float32Array.from(differences.flatMap((difference) => [0, difference]))
    expect(found(path, logits, 2)).toEqual(reference(logits, 2))
  })

  it.each([[[1, Number.NaN, 2]], [[Number.NaN, 1, 2]], [[1, Number.POSITIVE_INFINITY, 2]]])('is NaN for %j', (row) => {
    const { probabilities, totals } = found(path, Float32Array.from(row), 3)
    expect([...probabilities, totals[1]]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
  })

  it('takes −∞ as an impossible class', () => {
    const { probabilities } = found(path, Float32Array.of(0, Number.NEGATIVE_INFINITY, 0), 3)
    expect([...probabilities]).toEqual([0.5, 0, 0.5])
  })
})
