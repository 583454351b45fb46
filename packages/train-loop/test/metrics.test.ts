import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import {
  accuracy,
  confusion,
  f1,
  type Metric,
  meanAbsoluteError,
  perplexity,
  precision,
  r2,
  recall,
  rootMeanSquaredError,
  topK,
} from '@rowwise/train-loop'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** The value of a metric after batches of outputs and targets. */
function measure<Value>(metric: Metric<Value>, ...batches: [outputs: tf.Tensor, targets: tf.Tensor][]): Value {
  const values = (tensor: tf.Tensor) => ({
    values: tensor.dataSync() as Float32Array,
    shape: tensor.shape,
    dtype: tensor.dtype,
  })
  metric.reset()
  for (const [outputs, targets] of batches) metric.update(values(outputs), values(targets))
  return metric.value()
}

/** Logits whose largest is at these classes. */
const logits = (...classes: number[]) => tf.cast(tf.oneHot(tf.tensor1d(classes, 'int32'), 3), 'float32')
const labels = (...classes: number[]) => tf.tensor1d(classes, 'int32')

// Figures of scikit-learn 1.7: accuracy_score, precision_score, recall_score, f1_score, mean_absolute_error, r2_score.
const classes: [tf.Tensor, tf.Tensor] = [logits(0, 2, 1, 0, 0, 1), labels(0, 1, 2, 0, 1, 2)]

describe('of classes', () => {
  it('accuracy is the share that is right', () => {
    expect(measure(accuracy(), classes)).toBeCloseTo(2 / 6, 12)
    expect(measure(accuracy(), [logits(1), labels(1)], [logits(1, 2, 0), labels(1, 2, 2)])).toBe(0.75)
  })

  it('precision, recall and F1 are averaged over the classes', () => {
    expect(measure(precision(), classes)).toBeCloseTo(0.2222222222222222, 12)
    expect(measure(recall(), classes)).toBeCloseTo(1 / 3, 12)
    expect(measure(f1(), classes)).toBeCloseTo(0.26666666666666666, 12)
  })

  it('or not', () => {
    expect(measure(precision({ average: 'none' }), classes)).toEqual([2 / 3, 0, 0])
    expect(measure(recall({ average: 'none' }), classes)).toEqual([1, 0, 0])
    expect(measure(f1({ average: 'none' }), classes)).toEqual([0.8, 0, 0])
  })

  it('a class that neither occurs nor is found does not count', () => {
    expect(measure(f1(), [logits(0, 1), labels(0, 1)])).toBe(1)
  })

  it('confusion counts what was taken for what', () => {
    expect(measure(confusion(), classes)).toEqual([
      [2, 0, 0],
      [1, 0, 1],
      [0, 2, 0],
    ])
  })

  it('top k counts a target among the k largest, of equal outputs the first', () => {
    const outputs = tf.tensor2d([
      [3, 2, 1],
      [1, 1, 1],
    ])
    const found = [1, 2, 3].map((k) => measure(topK({ k }), [outputs, labels(1, 2)]))
    expect(found).toEqual([0, 0.5, 1])
  })

  it('perplexity is e to the mean cross-entropy', () => {
    const uniform: [tf.Tensor, tf.Tensor] = [tf.zeros([2, 3, 5]), tf.zeros([2, 3], 'int32')]
    expect(measure(perplexity(), uniform)).toBeCloseTo(5, 12)
  })

  it('steps of padding are left out', () => {
    const outputs = tf.stack([logits(0, 1, 1), logits(2, 2, 0)])
    const targets = tf.tensor2d([0, 1, -100, 1, -100, -100], [2, 3], 'int32')
    expect(measure(accuracy(), [outputs, targets])).toBeCloseTo(2 / 3, 12)
    expect(measure(perplexity(), [tf.zeros([2, 3, 4]), targets])).toBeCloseTo(4, 12)
    expect(measure(accuracy({ ignoreIndex: 1 }), [logits(0, 1), labels(0, 1)])).toBe(1)
  })

  it('yes or no answers count by their sides of 0', () => {
    const answers: [tf.Tensor, tf.Tensor] = [tf.tensor2d([2, -1, 3, 0.5], [2, 2]), tf.tensor2d([1, 1, 0, 1], [2, 2])]
    expect(measure(accuracy(), answers)).toBe(0.5)
    expect(measure(precision({ average: 'none' }), answers)).toEqual([0.5, 1])
    expect(measure(recall({ average: 'none' }), answers)).toEqual([1, 0.5])
  })

  it('a target that is no class is refused', () => {
    for (const metric of [accuracy(), confusion(), topK(), perplexity(), f1()] as Metric[]) {
      expect(() => measure(metric, [logits(0), labels(3)])).toThrow(
        expect.objectContaining({
          code: 'TARGET_INVALID',
          message: expect.stringMatching(/target 3, expected a class/),
        }),
      )
    }
  })

  it('the same numbers come of one batch as of many', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 2, maxLength: 20 }), (pairs) => {
        const whole: [tf.Tensor, tf.Tensor] = [
          logits(...pairs.map(([found]) => found)),
          labels(...pairs.map(([, target]) => target)),
        ]
        const single = pairs.map(([found, target]): [tf.Tensor, tf.Tensor] => [logits(found), labels(target)])
        for (const make of [accuracy, f1, confusion, () => topK({ k: 2 })] as (() => Metric)[]) {
          expect(measure(make(), ...single)).toEqual(measure(make(), whole))
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('of numbers', () => {
  const numbers: [tf.Tensor, tf.Tensor] = [tf.tensor1d([2.5, 0, 2, 8]), tf.tensor1d([3, -0.5, 2, 7])]
  const columns: [tf.Tensor, tf.Tensor] = [
    tf.tensor2d([0, 2, -1, 2, 8, -5], [3, 2]),
    tf.tensor2d([0.5, 1, -1, 1, 7, -6], [3, 2]),
  ]

  it('errors are averaged over all elements', () => {
    expect(measure(meanAbsoluteError(), numbers)).toBe(0.5)
    expect(measure(rootMeanSquaredError(), numbers)).toBeCloseTo(Math.sqrt(0.375), 12)
    expect(measure(meanAbsoluteError(), columns)).toBe(0.75)
  })

  it('r2 is that of each column, averaged', () => {
    expect(measure(r2(), numbers)).toBeCloseTo(0.9486081370449679, 12)
    expect(measure(r2(), columns)).toBeCloseTo(0.9368005266622779, 12)
  })

  it('r2 is exact far from 0, and 0 where all targets are alike', () => {
    const far: [tf.Tensor, tf.Tensor] = [tf.tensor1d([8388610, 8388612]), tf.tensor1d([8388610, 8388614])]
    expect(measure(r2(), far)).toBe(0.5)
    expect(measure(r2(), [tf.tensor1d([1, 2]), tf.tensor1d([3, 3])])).toBe(0)
  })

  it('outputs of another shape are refused', () => {
    for (const metric of [meanAbsoluteError(), rootMeanSquaredError(), r2()]) {
      expect(() => measure(metric, [tf.zeros([2, 1]), tf.zeros([2])])).toThrow(
        /got outputs \[2,1\] and targets \[2\], expected one shape/,
      )
    }
  })
})

describe('options of metrics that cannot be', () => {
  it.each<[() => unknown, RegExp]>([
    [() => topK({ k: 0 }), /k is 0/],
    [() => f1({ average: 'micro' as 'macro' }), /average is "micro", expected 'macro' or 'none'/],
    [() => accuracy({ ignore: 0 } as object), /no option 'ignore'/],
  ])('are refused: %s', (make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'TRAIN_OPTION', message: expect.stringMatching(message) }))
  })
})
