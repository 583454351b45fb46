import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { crossEntropy, nllLoss, type Reduction } from '@rowwise/train-loop'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const logits = () =>
  tf.tensor2d([
    [1, 2, 3],
    [0, 0, 0],
  ])
const targets = () => tf.tensor1d([2, 1], 'int32')
const first = Math.log(Math.exp(-2) + Math.exp(-1) + 1)

describe('crossEntropy', () => {
  it.each<[Reduction, number[]]>([
    ['none', [first, Math.log(3)]],
    ['sum', [first + Math.log(3)]],
    ['mean', [(first + Math.log(3)) / 2]],
  ])('with reduction %s', (reduction, expected) => {
    const loss = Array.from(crossEntropy(logits(), targets(), { reduction }).dataSync())
    expect(loss).toHaveLength(expected.length)
    loss.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index], 6)
    })
  })

  it('gives its gradient as often as it is asked, in tensors of their own', () => {
    const pass = crossEntropy.vjp(logits(), targets())
    const [once, again] = [pass?.pullback(), pass?.pullback()]
    const expected = tf.grad((x: tf.Tensor) => crossEntropy(x, targets()))(logits())
    expect(once?.arraySync()).toEqual(expected.arraySync())
    expect(again?.arraySync()).toEqual(expected.arraySync())
    const kept = Array.from(again?.dataSync() ?? [])
    once?.dispose()
    crossEntropy.vjp(tf.mul(logits(), 2), targets())?.pullback()
    expect(Array.from(again?.dataSync() ?? [])).toEqual(kept)
  })

  it('does not overflow for logits that exp would', () => {
    expect(crossEntropy(tf.tensor2d([[1000, 0]]), tf.tensor1d([1], 'int32')).dataSync()[0]).toBeCloseTo(1000, 3)
    expect(crossEntropy(tf.tensor2d([[1000, 0]]), tf.tensor1d([0], 'int32')).dataSync()[0]).toBe(0)
  })

  it('is NaN when a logit is', () => {
    expect(crossEntropy(tf.tensor2d([[Number.NaN, 0]]), tf.tensor1d([0], 'int32')).dataSync()[0]).toBe(Number.NaN)
  })

  it.each<Reduction>(['mean', 'sum', 'none'])(
    'equals logSoftmax and nllLoss, gradients too, with reduction %s',
    (reduction) => {
      const number = fc.float({ min: -30, max: 30, noNaN: true })
      const cases = fc
        .integer({ min: 1, max: 5 })
        .chain((n) =>
          fc.tuple(
            fc.array(number, { minLength: 4 * n, maxLength: 4 * n }),
            fc.array(fc.nat(3), { minLength: n, maxLength: n }),
          ),
        )
      fc.assert(
        fc.property(cases, ([values, classes]) => {
          const input = tf.tensor2d(values, [classes.length, 4])
          const target = tf.tensor1d(classes, 'int32')
          const fused = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(x, target, { reduction }))(input)
          const composed = tf.valueAndGrad((x: tf.Tensor) =>
            nllLoss(tf.logSoftmax(x as tf.Tensor2D), target, { reduction }),
          )(input)
          tf.test_util.expectArraysClose(fused.value.dataSync(), composed.value.dataSync(), 1e-4)
          tf.test_util.expectArraysClose(fused.grad.dataSync(), composed.grad.dataSync(), 1e-5)
        }),
        { numRuns: 40 },
      )
    },
  )

  it('has the same gradient every time', () => {
    const gradient = tf.grad((x: tf.Tensor) => crossEntropy(x, targets()))
    expect(gradient(logits()).dataSync()).toEqual(gradient(logits()).dataSync())
  })

  it.each([[3], [-1]])('refuses the target %i of 3 classes, naming the sample', (target) => {
    expect(() => crossEntropy(logits(), tf.tensor1d([0, target], 'int32'))).toThrow(
      `crossEntropy: target 1 is ${target}, expected a class from 0 to 2`,
    )
  })

  it('refuses targets of another count or type, and an unknown reduction', () => {
    const code = (code: string) => expect.objectContaining({ code })
    expect(() => crossEntropy(logits(), tf.tensor1d([0], 'int32'))).toThrow(code('TARGET_INVALID'))
    expect(() => crossEntropy(logits(), tf.tensor1d([0, 1]))).toThrow(/float32 targets, expected int32/)
    expect(() => crossEntropy(logits(), targets(), { reduction: 'max' as 'sum' })).toThrow(code('TRAIN_OPTION'))
  })
})

describe('nllLoss', () => {
  it('picks the negative log-probability of each target', () => {
    const logProbabilities = tf.tensor2d([
      [-1, -2],
      [-3, -4],
    ])
    const picked = nllLoss(logProbabilities, tf.tensor1d([1, 0], 'int32'), { reduction: 'none' })
    expect([...picked.dataSync()]).toEqual([2, 3])
  })
})
