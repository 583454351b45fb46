import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fusedLinear } from '../src'
import type { LinearOps, LinearShape } from '../src/runtime'
import { JsRuntime } from '../src/runtimes/js/js-runtime'
import { builds, differing, instructionSets, nativeRuntime, runtimes, wasmRuntime } from './runtimes'

/** y and the gradients of a random layer of a shape, by each of some runtimes. */
function layer(shape: LinearShape, seed: number, hasBias: boolean, ...by: LinearOps[]): Record<string, Float32Array>[] {
  const { rows, inFeatures, outFeatures } = shape
  const generator = new Generator(seed)
  const draw = (count: number) => generator.uniform(new Float32Array(count), -1, 1)
  const [x, weight, dY] = [draw(rows * inFeatures), draw(outFeatures * inFeatures), draw(rows * outFeatures)]
  const bias = hasBias ? draw(outFeatures) : undefined
  return by.map((linear) => {
    const [y, ...gradients] = [dY, x, weight, dY.subarray(0, outFeatures)].map(({ length }) =>
      new Float32Array(length).fill(Number.NaN),
    )
    const to = { x: gradients[0], weight: gradients[1], bias: gradients[2] }
    linear.forward(shape, x, weight, bias, y)
    linear.gradients(shape, dY, x, weight, to)
    return { y, ...to }
  })
}

/** Layers of several blocks of terms and of columns, and ones that threads share. */
const LARGE: LinearShape[] = [
  { rows: 70, inFeatures: 300, outFeatures: 1021 },
  { rows: 259, inFeatures: 513, outFeatures: 37 },
  { rows: 7, inFeatures: 600, outFeatures: 601 },
  { rows: 2100, inFeatures: 64, outFeatures: 17 },
  { rows: 130, inFeatures: 2500, outFeatures: 50 },
]

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
        const [found, expected] = layer(shape, seed, hasBias, linear, plain)
        for (const [name, values] of Object.entries(expected)) {
          const error = values.reduce((max, value, k) => Math.max(max, Math.abs(value - found[name][k])), 0)
          expect([name, error < 1e-4, found[name].length]).toEqual([name, true, values.length])
        }
      }),
      { numRuns: 100 },
    )
  })

  it.each(LARGE)('sums all terms of $rows rows, $inFeatures features and $outFeatures outputs', (shape) => {
    const [found, expected] = layer(shape, 1, true, linear, plain)
    for (const [name, values] of Object.entries(expected)) {
      const error = values.reduce((max, value, k) => Math.max(max, Math.abs(value - found[name][k])), 0)
      expect([name, error < 1e-3]).toEqual([name, true])
    }
  })
})

describe.each([
  ...builds.map((name) => [name, (threads: number) => wasmRuntime(name, threads)] as const),
  ...instructionSets.map((name) => [name, (threads: number) => nativeRuntime(name, threads)] as const),
])('a large linear layer of %s', (_, make) => {
  it.each(LARGE)('has the same bits on 1, 2, 3 and 5 threads ($rows, $inFeatures, $outFeatures)', (shape) => {
    const made = [1, 2, 3, 5].map(make)
    const [expected, ...others] = layer(shape, 2, true, ...made.map(({ linear }) => linear))
    for (const found of others) expect(differing(found, expected)).toEqual([])
    for (const runtime of made) runtime.dispose()
  })
})

describe('fusedLinear', () => {
  it('leaves a gradient of a gradient to TensorFlow.js, which has it', async () => {
    await tf.setBackend('wasm')
    const [weight, bias] = [
      tf.tensor2d([
        [1, 2],
        [3, -1],
        [0.5, 4],
      ]),
      tf.tensor1d([1, 2, 3]),
    ]
    const penalty = (layer: (x: tf.Tensor2D) => tf.Tensor) => {
      const norm = (x: tf.Tensor) => tf.square(tf.grad((y) => tf.sum(tf.square(layer(y as tf.Tensor2D))))(x))
      return tf
        .grad((x) => tf.sum(norm(x)))(tf.tensor2d([[1, 2]]))
        .dataSync()
    }
    const expected = penalty((x) => tf.add(tf.matMul(x, weight, false, true), bias))
    expect(penalty((x) => fusedLinear(x, weight, bias))).toEqual(expected)
  })

  it.each<[string, RegExp, () => tf.Tensor[]]>([
    ['weights of rank 3', /weight float32 \[2,3,4\]/, () => [tf.zeros([2, 3]), tf.zeros([2, 3, 4])]],
    ['no features', /inputs is float32 \[2,0\].*none of them 0/, () => [tf.zeros([2, 0]), tf.zeros([3, 0])]],
    ['no bias at all', /bias is null, expected a tensor/, () => [tf.zeros([2, 3]), tf.zeros([1, 3]), null as never]],
  ])('refuses %s', async (_, message, operands) => {
    await tf.setBackend('wasm')
    const [x, weight, bias] = operands()
    expect(() => fusedLinear(x as tf.Tensor2D, weight as tf.Tensor2D, bias as tf.Tensor1D)).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH', message: expect.stringMatching(message) }),
    )
  })
})
