import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { finalHidden, Graph, isStandard, LayerNorm, Linear, LSTM, LSTMNet, lastStep, Sequential, Tanh } from '../src'

const sizes = { inputSize: 2, hiddenSize: 3 }
const linear = { inFeatures: 3, outFeatures: 3 }

describe('isStandard', () => {
  it.each([
    ['a recurrent layer', () => new LSTM(sizes)],
    ['a network', () => new LSTMNet({ ...sizes, numClasses: 2 })],
    ['a step that is picked', () => lastStep()],
    ['a state that is picked', () => finalHidden()],
    ['a layer norm', () => new LayerNorm({ normalizedShape: 3 })],
    ['a Graph', () => new Graph({ inputs: ['x'], nodes: { a: { layer: new Tanh(), input: 'x' } }, output: 'a' })],
    [
      'a class that puts layers together',
      () =>
        new (class Own extends Sequential {
          constructor() {
            super(new LSTM(sizes), lastStep())
          }
        })(),
    ],
  ])('is true of %s', (_, make) => {
    expect(isStandard(make())).toBe(true)
  })

  it.each([
    [
      'a class with its own forward',
      () =>
        new (class Doubled extends Linear {
          override forward(x: tf.Tensor) {
            return tf.mul(super.forward(x), 2)
          }
        })(linear),
    ],
    [
      'an activation of another function',
      () =>
        new (class Square extends Tanh {
          protected override apply(x: tf.Tensor) {
            return tf.mul(x, x)
          }
        })(),
    ],
    ['a layer whose forward was replaced', () => Object.assign(new Linear(linear), { forward: (x: tf.Tensor) => x })],
  ])('is false of %s', (_, make) => {
    expect(isStandard(make())).toBe(false)
  })
})
