import { LSTM } from '@rowwise/models-rnn'
import { configureKernels, type KernelOptions } from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
import '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { isHere } from './paths'
import { worstError } from './vectors'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const shapes = fc.record({
  batch: fc.integer({ min: 1, max: 5 }),
  time: fc.integer({ min: 1, max: 5 }),
  inputSize: fc.integer({ min: 1, max: 9 }),
  hiddenSize: fc.integer({ min: 1, max: 9 }),
  numLayers: fc.integer({ min: 1, max: 3 }),
  bidirectional: fc.boolean(),
  bias: fc.boolean(),
  seed: fc.nat(),
})
type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never

/** Output, final states and all gradients of an LSTM with these kernels. */
function compute(kernels: KernelOptions, shape: Shape): Record<string, number[]> {
  configureKernels(kernels)
  const { batch, time, inputSize, hiddenSize, numLayers, bidirectional, bias, seed } = shape
  const generator = new Generator(seed)
  const layer = new LSTM({ inputSize, hiddenSize, numLayers, bidirectional, bias, generator })
  const states = numLayers * (bidirectional ? 2 : 1)
  const draw = (...size: [number, number, number]) =>
    tf.tensor3d(generator.uniform(new Float32Array(size[0] * size[1] * size[2]), -1, 1), size)
  const [inputs, h, c] = [
    draw(batch, time, inputSize),
    draw(states, batch, hiddenSize),
    draw(states, batch, hiddenSize),
  ]
  return tf.tidy(() => {
    const forward = (x: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor) =>
      layer.forward(x as tf.Tensor3D, { initial: { h: h0 as tf.Tensor3D, c: c0 as tf.Tensor3D } })
    const loss = (x: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor) => {
      const { output, hn, cn } = forward(x, h0, c0)
      const states = tf.add(tf.sum(tf.square(hn)), tf.sum(tf.sin(cn)))
      return tf.add(states, tf.sum(tf.cos(output))) as tf.Scalar
    }
    const { hn, cn, output } = forward(inputs, h, c)
    const byInputs = tf.grads(loss)([inputs, h, c])
    const { grads } = tf.variableGrads(() => loss(inputs, h, c), Object.values(layer.parameters()))
    const named = Object.entries(layer.parameters()).map(([name, { name: key }]) => [`d ${name}`, grads[key]] as const)
    const tensors = {
      hn,
      cn,
      output,
      dx: byInputs[0],
      dh: byInputs[1],
      dc: byInputs[2],
      ...Object.fromEntries(named),
    }
    return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, Array.from(value.dataSync())]))
  })
}

const paths: KernelOptions[] = [
  { path: 'native', threads: 2 },
  { path: 'simd', threads: 1 },
  { path: 'relaxed-simd', threads: 1 },
  { path: 'js' },
]

describe.each(paths.filter(isHere))('the LSTM with the kernels %j', (kernels) => {
  it('is the composed graph, for every shape, direction, depth and initial state, gradients too', {
    timeout: 120_000,
  }, () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const [fused, composed] = [compute(kernels, shape), compute({ path: 'off' }, shape)]
        const near = Object.entries(composed).map(([name, values]) => [
          name,
          worstError(fused[name], values, { absolute: 2e-5, relative: 2e-4 }) < 1,
        ])
        expect(near).toEqual(Object.keys(composed).map((name) => [name, true]))
      }),
      { numRuns: 25 },
    )
  })

  it('is the composed graph for more rows than are computed at once, with lengths, gradients by the inputs too', () => {
    const [batch, time, inputSize] = [71, 11, 37]
    const generator = new Generator(8)
    const layer = new LSTM({ inputSize, hiddenSize: 40, bidirectional: true, generator })
    const lengths = Array.from({ length: batch }, (_, row) => 1 + ((row * 7) % time))
    const inputs = tf.tensor3d(generator.uniform(new Float32Array(batch * time * inputSize)), [batch, time, inputSize])
    const gradient = (options: KernelOptions) => {
      configureKernels(options)
      const loss = (x: tf.Tensor) => tf.sum(tf.sin(layer.forward(x as tf.Tensor3D, { lengths }).output))
      return tf.grad(loss)(inputs).dataSync()
    }
    const worst = worstError(gradient(kernels), gradient({ path: 'off' }), { absolute: 2e-5, relative: 2e-4 })
    expect(worst).toBeLessThan(1)
  })

  it('leaves no tensor behind that the composed graph does not', () => {
    configureKernels(kernels)
    const layer = new LSTM({ inputSize: 3, hiddenSize: 5, numLayers: 2, bidirectional: true })
    const inputs = tf.ones<tf.Rank.R3>([2, 4, 3])
    const step = () => {
      const run = () => tf.sum(layer.forward(inputs).hn) as tf.Scalar
      const { value, grads } = tf.variableGrads(run, Object.values(layer.parameters()))
      tf.dispose([value, grads])
    }
    step()
    const before = tf.memory()
    for (let count = 0; count < 20; count++) step()
    expect(tf.memory()).toEqual(before)
  })
})
