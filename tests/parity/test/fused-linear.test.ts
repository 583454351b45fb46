import '@rowwise/train-loop'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { Linear } from '@rowwise/models-rnn'
import { configureKernels, fusedLinear, type RuntimeName } from '@rowwise/rnn-kernels'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { isHere } from './paths'

afterAll(() => void configureKernels({}))

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  inFeatures: fc.integer({ min: 1, max: 40 }),
  outFeatures: fc.integer({ min: 1, max: 11 }),
  hasBias: fc.boolean(),
  seed: fc.nat(),
})
type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never
type Layer = (x: tf.Tensor2D, weight: tf.Tensor2D, bias?: tf.Tensor1D) => tf.Tensor

const composed: Layer = (x, weight, bias) => {
  const product = tf.matMul(x, weight, false, true)
  return bias ? tf.add(product, bias) : product
}

/** Outputs and all gradients of a layer, under an upstream gradient that differs everywhere. */
function compute(layer: Layer, { rows, inFeatures, outFeatures, hasBias, seed }: Shape): number[] {
  const generator = new Generator(seed)
  const draw = (...shape: number[]) =>
    tf.tensor(generator.uniform(new Float32Array(shape.reduce((a, b) => a * b)), -1, 1), shape)
  return tf.tidy(() => {
    const inputs = [draw(rows, inFeatures), draw(outFeatures, inFeatures), ...(hasBias ? [draw(outFeatures)] : [])]
    const upstream = draw(rows, outFeatures)
    const apply = (...values: tf.Tensor[]) => layer(...(values as Parameters<Layer>))
    const gradients = tf.grads((...values) => apply(...values))(inputs, upstream)
    return [apply(...inputs), ...gradients].flatMap((tensor) => Array.from(tensor.dataSync()))
  })
}

const worst = (found: number[], expected: number[]) =>
  Math.max(Math.abs(found.length - expected.length), ...found.map((value, k) => Math.abs(value - expected[k])))

const places: [RuntimeName, string][] = [
  ['native', 'wasm'],
  ['native', 'cpu'],
  ['relaxed-simd', 'wasm'],
  ['simd', 'wasm'],
  ['simd', 'cpu'],
  ['js', 'cpu'],
]

describe.each(places.filter(([path]) => isHere({ path })))(
  'fusedLinear with %s kernels on the %s backend',
  (path, backend) => {
    it('computes for every shape what TensorFlow.js does, gradients too, and leaves no tensor behind', async () => {
      await tf.setBackend(backend)
      configureKernels({ path })
      const before = tf.memory().numTensors
      fc.assert(
        fc.property(shapes, (shape) => {
          expect(worst(compute(fusedLinear, shape), compute(composed, shape))).toBeLessThan(1e-4)
        }),
      )
      expect(tf.memory().numTensors).toBe(before)
    })
  },
)

describe('fusedLinear', () => {
  it('copies neither weights nor what passes through layers into the memory of the WASM backend', async () => {
    await tf.setBackend('wasm')
    const inputs = tf.zeros<tf.Rank.R3>([4, 5, 2])
    const before = tf.backend().numDataIds()
    const [first, second] = [
      new Linear({ inFeatures: 2, outFeatures: 3 }),
      new Linear({ inFeatures: 3, outFeatures: 1 }),
    ]
    first.loadStateDict(first.stateDict())
    const outputs = tf.tidy(() => second.forward(first.forward(inputs)))
    expect(outputs.shape).toEqual([4, 5, 1])
    expect(tf.backend().numDataIds()).toBe(before)
  })

  it('refuses shapes and dtypes that do not fit, before anything reaches the kernels', () => {
    const [x, weight] = [tf.zeros<tf.Rank.R2>([4, 5]), tf.zeros<tf.Rank.R2>([3, 5])]
    expect(() => fusedLinear(x, tf.zeros([3, 6]))).toThrow(/inputs is float32 \[4,5\], weight float32 \[3,6\]/)
    expect(() => fusedLinear(x, weight, tf.zeros([4]))).toThrow(/bias float32 \[4\]; expected float32 \[…, I\]/)
    expect(() => fusedLinear(tf.zeros([4, 5], 'int32'), weight)).toThrow(/inputs is int32/)
  })
})
