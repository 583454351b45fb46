import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { finalHiddenVJP, fusedLSTM } from '../src'

const [inputs, weightIh, weightHh] = [
  () => tf.zeros<tf.Rank.R3>([4, 3, 5]),
  () => tf.zeros<tf.Rank.R2>([8, 5]),
  () => tf.zeros<tf.Rank.R2>([8, 2]),
]

beforeAll(async () => {
  await tf.setBackend('wasm')
})

describe('fusedLSTM refuses, before anything reaches the kernels,', () => {
  it.each<[string, RegExp, () => unknown]>([
    [
      'input weights of another size',
      /weightIh is float32 \[8,9\], expected float32 \[8,5\]/,
      () => fusedLSTM(inputs(), { weightIh: tf.zeros([8, 9]), weightHh: weightHh() }),
    ],
    [
      'recurrent weights that are not [4H, H]',
      /weightHh is float32 \[6,2\]/,
      () => fusedLSTM(inputs(), { weightIh: weightIh(), weightHh: tf.zeros([6, 2]) }),
    ],
    [
      'a state of another batch',
      /initial.h is float32 \[9,2\], expected float32 \[4,2\]/,
      () =>
        fusedLSTM(
          inputs(),
          { weightIh: weightIh(), weightHh: weightHh() },
          { initial: { h: tf.zeros([9, 2]), c: tf.zeros([4, 2]) } },
        ),
    ],
    [
      'one bias without the other',
      /one bias/,
      () => fusedLSTM(inputs(), { weightIh: weightIh(), weightHh: weightHh(), biasIh: tf.zeros([8]) }),
    ],
    [
      'an empty sequence',
      /inputs has shape \[4,0,5\]/,
      () => fusedLSTM(tf.zeros([4, 0, 5]), { weightIh: weightIh(), weightHh: weightHh() }),
    ],
    [
      'integers',
      /weightIh is int32/,
      () => fusedLSTM(inputs(), { weightIh: tf.zeros([8, 5], 'int32'), weightHh: weightHh() }),
    ],
  ])('%s', (_, message, run) => {
    expect(run).toThrow(message)
  })
})

describe('finalHiddenVJP refuses', () => {
  it.each<[string, RegExp, () => unknown]>([
    [
      'to do without a layer',
      /layers is empty, expected the weights of at least one/,
      () => finalHiddenVJP(inputs(), []),
    ],
    [
      'a second layer that does not read what the first one writes',
      /weightIh is float32 \[8,5\], expected float32 \[8,2\] for inputs \[4,3,2\]/,
      () =>
        finalHiddenVJP(
          inputs(),
          [1, 2].map(() => ({ weightIh: weightIh(), weightHh: weightHh() })),
        ),
    ],
  ])('%s', (_, message, run) => {
    expect(run).toThrow(message)
  })
})
