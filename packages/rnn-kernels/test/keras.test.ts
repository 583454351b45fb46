import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { kerasRecurrent, type RecurrentOptions, recurrent } from '../src'

const inputs = () => tf.zeros<tf.Rank.R3>([4, 3, 2])
const keras = () => ({ kernel: tf.zeros<tf.Rank.R2>([2, 2]), recurrentKernel: tf.zeros<tf.Rank.R2>([2, 2]) })
const pytorch = () => ({ weightIh: tf.zeros<tf.Rank.R2>([2, 2]), weightHh: tf.zeros<tf.Rank.R2>([2, 2]) })
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

  it.each<[string, string, RegExp, () => unknown]>([
    [
      'an option that is none',
      'KERNEL_OPTION',
      /kerasRecurrent has no option 'bogus', expected some of cell, gateActivation/,
      () => kerasRecurrent(inputs(), keras(), { ...cell, bogus: 1 } as never),
    ],
    [
      'null as its options',
      'KERNEL_OPTION',
      /kerasRecurrent got null as its options/,
      () => kerasRecurrent(inputs(), keras(), null as never),
    ],
    [
      'null as its weights',
      'SHAPE_MISMATCH',
      /the weights are null, expected an object of tensors/,
      () => kerasRecurrent(inputs(), null as never, cell),
    ],
    [
      'no hidden units',
      'SHAPE_MISMATCH',
      /recurrentKernel is \[0,0\], expected \[H, G·H\], none of them 0/,
      () => kerasRecurrent(inputs(), { ...keras(), kernel: tf.zeros([2, 0]), recurrentKernel: tf.zeros([0, 0]) }, cell),
    ],
    [
      'a state without h',
      'SHAPE_MISMATCH',
      /initial.h is undefined, expected a tensor/,
      () => kerasRecurrent(inputs(), keras(), { ...cell, initial: {} as never }),
    ],
  ])('refuses %s', (_, code, message, attempt) => {
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  })
})

describe('recurrent refuses', () => {
  it.each<[string, string, RegExp, () => unknown]>([
    [
      'null as its options',
      'KERNEL_OPTION',
      /recurrent got null as its options/,
      () => recurrent(inputs(), pytorch(), null as never),
    ],
    [
      'null as its weights',
      'SHAPE_MISMATCH',
      /the weights are null, expected an object of tensors/,
      () => recurrent(inputs(), null as never, cell),
    ],
  ])('%s', (_, code, message, attempt) => {
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  })
})
