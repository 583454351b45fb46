import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { kerasRecurrent, type RecurrentOptions, recurrent } from '../src'

const cell: RecurrentOptions = { cell: 'rnn_tanh', returnOutput: false }

beforeAll(async () => {
  await tf.setBackend('wasm')
})

describe('kerasRecurrent', () => {
  it('reads a square matrix by columns after recurrent has read the same tensor by rows', () => {
    const x = tf.ones<tf.Rank.R3>([1, 1, 2])
    const a = tf.tensor2d(
      [1, 2, 3, 4].map((value) => value / 10),
      [2, 2],
    )
    const b = tf.zeros<tf.Rank.R2>([2, 2])
    const byRows = recurrent(x, { weightIh: a, weightHh: b }, cell).h.dataSync()
    const byColumns = kerasRecurrent(x, { kernel: a, recurrentKernel: b }, cell).h.dataSync()
    expect([byRows[0], byRows[1]]).toEqual([expect.closeTo(Math.tanh(0.3)), expect.closeTo(Math.tanh(0.7))])
    expect([byColumns[0], byColumns[1]]).toEqual([expect.closeTo(Math.tanh(0.4)), expect.closeTo(Math.tanh(0.6))])
  })
})
