import { configureKernels, type KernelOptions, Linear, LSTM, LSTMNet, TensorError } from '@rowwise/models-rnn'
import { recurrent } from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, describe, expect, it } from 'vitest'

const draw = <R extends tf.Rank>(shape: tf.ShapeMap[R], seed = 1) =>
  tf.tensor<R>(new Generator(seed).uniform(new Float32Array(tf.util.sizeFromShape(shape)), -1, 1), shape)

afterEach(() => configureKernels({ path: 'auto' }))

const moves: [from: string, to: string, kernels: KernelOptions][] = [
  ['cpu', 'wasm', { path: 'simd' }],
  ['cpu', 'wasm', { path: 'js' }],
  ['cpu', 'wasm', { path: 'off' }],
  ['wasm', 'cpu', { path: 'simd' }],
  ['wasm', 'cpu', { path: 'off' }],
]

describe.each(moves)('tensors of the %s backend on the %s backend, kernels %j', (from, to, kernels) => {
  /** What a model made on one backend computes of inputs made on another, there and where all of it was made. */
  const compare = async (compute: () => () => tf.Tensor) => {
    configureKernels(kernels)
    await tf.setBackend(from)
    const [there, here] = [compute(), compute()]
    const expected = there().dataSync()
    await tf.setBackend(to)
    const found = here().dataSync()
    expect(tf.test_util.expectArraysClose(found, expected, 1e-5)).toBe(undefined)
  }

  it('give an LSTMNet its logits', async () => {
    await compare(() => {
      const [model, inputs] = [new LSTMNet({ generator: new Generator(0) }), draw<tf.Rank.R3>([3, 28, 28])]
      return () => model.forward(inputs)
    })
  })

  it('give an LSTM its outputs, initial states too', async () => {
    await compare(() => {
      const layer = new LSTM({ inputSize: 5, hiddenSize: 4, numLayers: 2, generator: new Generator(0) })
      const [inputs, h, c] = [
        draw<tf.Rank.R3>([3, 6, 5]),
        draw<tf.Rank.R3>([2, 3, 4], 2),
        draw<tf.Rank.R3>([2, 3, 4], 3),
      ]
      return () => layer.forward(inputs, { initial: { h, c } }).output
    })
  })

  it('give the operation recurrent its outputs', async () => {
    await compare(() => {
      const [inputs, weightIh, weightHh] = [
        draw<tf.Rank.R3>([3, 6, 5]),
        draw<tf.Rank.R2>([8, 5]),
        draw<tf.Rank.R2>([8, 2]),
      ]
      return () => recurrent(inputs, { weightIh, weightHh }, { cell: 'lstm' }).h
    })
  })

  it('give a Linear its outputs', async () => {
    await compare(() => {
      const [layer, inputs] = [new Linear({ inFeatures: 5, outFeatures: 4, generator: new Generator(0) }), draw([3, 5])]
      return () => layer.forward(inputs)
    })
  })
})

describe('tensors that make WebAssembly’s memory grow when they are moved there', () => {
  it.each(['simd', 'js'] as const)('are computed with all the same, by the kernels %s', async (path) => {
    configureKernels({ path })
    await tf.setBackend('cpu')
    const layer = new LSTM({ inputSize: 1000, hiddenSize: 4, generator: new Generator(0) })
    const [inputs, more] = [draw<tf.Rank.R3>([40, 300, 1000]), draw<tf.Rank.R3>([40, 300, 1000], 2)]
    const expected = layer.forward(inputs).hn.dataSync()
    await tf.setBackend('wasm')
    expect(layer.forward(inputs).hn.dataSync()).toEqual(expected)
    tf.dispose([inputs, layer.forward(more).hn, more])
  })
})

describe('a tensor of a backend that does not give its values', () => {
  it('is refused by the argument’s name', async () => {
    await tf.setBackend('cpu')
    const inputs = draw<tf.Rank.R3>([1, 2, 28])
    const { readSync } = tf.backend()
    await tf.setBackend('wasm')
    tf.findBackend('cpu').readSync = () => {
      throw new Error('cannot be read synchronously')
    }
    const attempt = () => new LSTMNet().forward(inputs)
    expect(attempt).toThrow(TensorError)
    expect(attempt).toThrow(/^inputs is a tensor of another backend that cannot be moved to wasm: cannot be read/)
    tf.findBackend('cpu').readSync = readSync
  })
})
