import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configureKernels, type KernelOptions, softmaxGradient, softmaxRows } from '../src'
import { differing } from './runtimes'

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
    const scale = 1 / total
    probabilities.set(
      Float32Array.from(exponentials, (value) => Math.fround(value) * scale),
      begin,
    )
    totals.push(max, total)
  }
  return { probabilities, totals }
}

const found = (path: KernelOptions['path'], logits: Float32Array, classes: number, threads?: number) => {
  configureKernels(threads && path !== 'off' ? { path, threads } : { path })
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

  it.each([
    [1021, 200],
    [10_000, 21],
    [17, 9001],
  ])('has them with %i classes in %i rows, on 1 thread and on 3', (classes, rows) => {
    const logits = new Generator(classes).uniform(new Float32Array(classes * rows), -9, 9)
    const expected = reference(logits, classes)
    for (const threads of [1, 3]) {
      const { probabilities, totals } = found(path, logits, classes, threads)
      expect(differing({ probabilities }, { probabilities: expected.probabilities })).toEqual([])
      expect(totals).toEqual(expected.totals)
    }
  })

  it.each([1, 3])('makes of probabilities the gradient of a cross-entropy, on %i thread(s)', (threads) => {
    configureKernels(path === 'off' ? { path } : { path, threads })
    const [rows, classes] = [300, 500]
    const probabilities = new Generator(1).uniform(new Float32Array(rows * classes), 0, 1)
    const targets = Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes)
    for (const upstream of [Float32Array.of(0.25), new Generator(2).uniform(new Float32Array(rows), -1, 1)]) {
      const expected = probabilities.map((p, at) => {
        const row = Math.floor(at / classes)
        const dy = upstream[upstream.length === 1 ? 0 : row]
        return Math.fround(p - Number(at % classes === targets[row])) * dy
      })
      const gradient = probabilities.slice()
      softmaxGradient(gradient, classes, targets, upstream)
      expect(differing({ gradient }, { gradient: expected })).toEqual([])
    }
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

describe('softmaxGradient', () => {
  it.each(paths)('takes no rows, and arrays of other kinds that a cast left (%s)', (path) => {
    configureKernels({ path })
    softmaxGradient(new Float32Array(0), 3, new Int32Array(0), Float32Array.of(1))
    const gradient = Float32Array.of(0.25, 0.75)
    softmaxGradient(gradient, 2, Uint8Array.of(1) as never, Int32Array.of(2) as never)
    expect([...gradient]).toEqual([0.5, -0.5])
  })

  it.each<[string, RegExp, number, number[], number[]]>([
    [
      'other numbers than rows of classes',
      /probabilities has 6 numbers, expected 3 rows.* of 3 classes/,
      3,
      [0, 1, 2],
      [1],
    ],
    ['gradients that are neither one nor one a row', /upstream has 3 numbers, expected 1 or 2/, 3, [0, 1], [1, 1, 1]],
    ['a target that is no class', /a target is 3, expected a class from 0 to 2/, 3, [0, 3], [1]],
  ])('refuses %s', (_, message, classes, targets, upstream) => {
    const probabilities = new Float32Array(6).fill(1)
    const call = () => softmaxGradient(probabilities, classes, Int32Array.from(targets), Float32Array.from(upstream))
    expect(call).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH', message: expect.stringMatching(message) }))
    expect([...probabilities]).toEqual([1, 1, 1, 1, 1, 1])
  })
})
