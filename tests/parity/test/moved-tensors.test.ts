import '@tensorflow/tfjs-backend-wasm'
import { Linear, LSTM, LSTMNet, lastStep, Sequential } from '@rowwise/models-rnn'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await tf.setBackend('wasm')
})

/** Far more than the memory of tfjs's WASM backend has at its start, so that it has to grow. */
const BATCH = 1500

describe('outputs that TensorFlow.js reads after a layer', () => {
  const outputs = () =>
    new LSTM({ inputSize: 2, hiddenSize: 128 }).forward(tf.ones([BATCH, 28, 2])).output as tf.Tensor3D

  it.each<[string, (y: tf.Tensor3D) => tf.Tensor, (values: Float32Array) => number[]]>([
    ['concat', (y) => tf.concat([y, y], -1), (v) => [...v.slice(0, 128), ...v.slice(0, 128)]],
    ['slice', (y) => tf.slice(y, [1, 0, 0]), (v) => [...v.slice(28 * 128, 28 * 128 + 256)]],
    ['cast', (y) => tf.cast(y, 'int32'), () => Array(256).fill(0)],
  ])('are there for %s, of which the memory has to grow', (_, operation, expected) => {
    for (let k = 0; k < 3; k++) {
      tf.tidy(() => {
        const y = outputs()
        const found = operation(y).dataSync().slice(0, 256)
        expect([...found]).toEqual(expected(y.dataSync() as Float32Array))
      })
    }
  })

  it('pass through two layers in both directions', () => {
    const net = new LSTMNet({ inputSize: 28, hiddenSize: 64, numLayers: 2, bidirectional: true, numClasses: 10 }).eval()
    const logits = tf.tidy(() => net.forward(tf.ones([1000, 28, 28])))
    expect(logits.shape).toEqual([1000, 10])
  })
})

describe('inputs and parameters', () => {
  it('are there for operations of one’s own', () => {
    const model = new Sequential({
      lstm: new LSTM({ inputSize: 600, hiddenSize: 600 }),
      last: lastStep(),
      fc: new Linear({ inFeatures: 600, outFeatures: 2 }),
    })
    const weights = model.parameters()
    const both = tf.tidy(() => tf.concat([weights['lstm.weight_ih_l0'], weights['lstm.weight_hh_l0']], 1).dataSync())
    expect(both[0]).toBe(weights['lstm.weight_ih_l0'].dataSync()[0])
    expect(both[600]).toBe(weights['lstm.weight_hh_l0'].dataSync()[0])
  })
})
