import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { type RecurrentOptions, recurrent, recurrentPass } from '../src'

const inputs = () => tf.zeros<tf.Rank.R3>([4, 3, 5])
const weightIh = () => tf.zeros<tf.Rank.R2>([8, 5])
const weightHh = () => tf.zeros<tf.Rank.R2>([8, 2])
const weights = () => ({ weightIh: weightIh(), weightHh: weightHh() })
const run = (options: Partial<RecurrentOptions>) => recurrent(inputs(), weights(), { cell: 'lstm', ...options })

beforeAll(async () => {
  await tf.setBackend('wasm')
})

describe('recurrent refuses, before anything reaches the kernels,', () => {
  it.each<[string, RegExp, () => unknown]>([
    [
      'input weights of another size',
      /weightIh is float32 \[8,9\], expected float32 \[8,5\] .* lstm of 2 hidden units/,
      () => recurrent(inputs(), { weightIh: tf.zeros([8, 9]), weightHh: weightHh() }, { cell: 'lstm' }),
    ],
    [
      'recurrent weights that are not [G·H, H]',
      /weightHh is float32 \[6,2\], expected float32 \[8,2\]/,
      () => recurrent(inputs(), { weightIh: weightIh(), weightHh: tf.zeros([6, 2]) }, { cell: 'lstm' }),
    ],
    [
      'the weights of another cell',
      /weightIh is float32 \[8,5\], expected float32 \[6,5\] .* gru/,
      () => run({ cell: 'gru' }),
    ],
    [
      'a state of another batch',
      /initial.h is float32 \[9,2\], expected float32 \[4,2\]/,
      () => run({ initial: { h: tf.zeros([9, 2]), c: tf.zeros([4, 2]) } }),
    ],
    [
      'a cell state where there is none',
      /initial.c is given, but gru has no cell state; leave it out/,
      () =>
        recurrent(
          inputs(),
          { weightIh: tf.zeros([6, 5]), weightHh: tf.zeros([6, 2]) },
          { cell: 'gru', initial: { h: tf.zeros([4, 2]), c: tf.zeros([4, 2]) } },
        ),
    ],
    [
      'one bias without the other',
      /one bias/,
      () => recurrent(inputs(), { ...weights(), biasIh: tf.zeros([8]) }, { cell: 'lstm' }),
    ],
    [
      'what is no tensor',
      /weightHh is undefined, expected a tensor/,
      () => recurrent(inputs(), { weightIh: weightIh() } as never, { cell: 'lstm' }),
    ],
    [
      'an empty sequence',
      /inputs is float32 \[4,0,5\]/,
      () => recurrent(tf.zeros([4, 0, 5]), weights(), { cell: 'lstm' }),
    ],
    [
      'integers',
      /weightIh is int32/,
      () => recurrent(inputs(), { weightIh: tf.zeros([8, 5], 'int32'), weightHh: weightHh() }, { cell: 'lstm' }),
    ],
    [
      'an unknown cell',
      /cell is 'LSTM', expected one of lstm, gru, gru_reset_before/,
      () => run({ cell: 'LSTM' as 'lstm' }),
    ],
    [
      'an unknown activation',
      /gateActivation is 'relu', expected 'sigmoid' or 'hard_sigmoid'/,
      () => run({ gateActivation: 'relu' as 'sigmoid' }),
    ],
    ['too few lengths', /lengths has 3 entries, expected one for each of 4 rows/, () => run({ lengths: [1, 2, 3] })],
    ['a length of 0', /lengths\[1\] is 0, expected an integer from 1 to 3/, () => run({ lengths: [1, 0, 3, 3] })],
    ['a length over T', /lengths\[3\] is 4, expected/, () => run({ lengths: [1, 1, 3, 4] })],
    ['half a step', /lengths\[0\] is 1.5, expected/, () => run({ lengths: [1.5, 1, 3, 3] })],
    ['no number at all', /lengths\[0\] is NaN, expected/, () => run({ lengths: [Number.NaN, 1, 3, 3] })],
    ['no lengths', /lengths is null, expected the steps of each of 4 rows/, () => run({ lengths: null as never })],
    ['a state without h', /initial.h is undefined, expected a tensor/, () => run({ initial: {} as never })],
    ['a word for a flag', /reverse is false, expected true or false/, () => run({ reverse: 'false' as never })],
    ['an option that is none', /recurrent has no option 'length'/, () => run({ length: [1, 2] } as never)],
  ])('%s', (_, message, attempt) => {
    expect(attempt).toThrow(message)
  })

  it('disposed tensors', () => {
    const gone = inputs()
    gone.dispose()
    expect(() => recurrent(gone, weights(), { cell: 'lstm' })).toThrow(
      expect.objectContaining({
        code: 'SHAPE_MISMATCH',
        message: expect.stringMatching(/inputs is a disposed tensor/),
      }),
    )
  })
})

describe('recurrentPass refuses', () => {
  const values = new Float32Array(4 * 3 * 5)

  it('values of another shape', () => {
    const pass = () => recurrentPass(values.subarray(1), [4, 3, 5], weights(), { cell: 'lstm' })
    expect(pass).toThrow(/x has 59 numbers, expected 60, those of \[4,3,5\]/)
  })

  it('weights that do not read them', () => {
    expect(() => recurrentPass(values, [4, 5, 3], weights(), { cell: 'lstm' })).toThrow(
      /weightIh is float32 \[8,5\], expected float32 \[8,3\]/,
    )
  })

  it.each<[string, RegExp, () => unknown]>([
    [
      'a disposed tensor',
      /inputs is a disposed tensor/,
      () => {
        const gone = inputs()
        gone.dispose()
        return recurrentPass(gone, [4, 3, 5], weights(), { cell: 'lstm' })
      },
    ],
    [
      'other numbers than float32',
      /x is \[object Float64Array\], expected a Float32Array of 60 numbers/,
      () => recurrentPass(new Float64Array(60) as never, [4, 3, 5], weights(), { cell: 'lstm' }),
    ],
    [
      'a tensor of another shape',
      /x is a tensor of shape \[4,3,5\], expected \[3,4,5\]/,
      () => recurrentPass(inputs(), [3, 4, 5], weights(), { cell: 'lstm' }),
    ],
    [
      'half a step',
      /the shape of x is \[4,1.5,10\], expected three integers over 0/,
      () => recurrentPass(values, [4, 1.5, 10], weights(), { cell: 'lstm' }),
    ],
  ])('%s', (_, message, attempt) => {
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH', message: expect.stringMatching(message) }),
    )
  })

  it.each<[string, RegExp, object]>([
    [
      'a gradient that is too short',
      /upstream.h has 3 numbers, expected 8, as its output has/,
      { h: new Float32Array(3) },
    ],
    ['a gradient that is too long', /upstream.c has 9 numbers, expected 8/, { c: new Float32Array(9) }],
    [
      'one of an output that is not there',
      /upstream.output is given, but the pass has h and c only/,
      { output: new Float32Array(24) },
    ],
    [
      'a plain array for a gradient',
      /upstream.h is \[object Array\], expected a Float32Array of 8/,
      { h: new Array(8).fill(0) },
    ],
  ])('%s, and computes the right one afterwards', (_, message, upstream) => {
    const pass = recurrentPass(values, [4, 3, 5], weights(), { cell: 'lstm', returnOutput: false })
    expect(() => pass.pullback(upstream)).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH', message: expect.stringMatching(message) }),
    )
    expect(pass.pullback({ h: new Float32Array(8) }).weightIh).toHaveLength(40)
    pass.release()
  })

  it('a pullback after its release', () => {
    const pass = recurrentPass(values, [4, 3, 5], weights(), { cell: 'lstm' })
    pass.release()
    expect(() => pass.pullback({ h: new Float32Array(8) })).toThrow(/released/)
  })
})
