import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { bceWithLogits, crossEntropy, huberLoss, mseLoss } from '../src'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('a gradient of a gradient of a loss', () => {
  const classes = tf.tensor1d([0, 2], 'int32')
  const numbers = tf.tensor2d([
    [0.2, 1, 0],
    [1, 0, 0.5],
  ])
  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['crossEntropy', (x) => crossEntropy(x, classes)],
    ['mseLoss', (x) => mseLoss(x, numbers)],
    ['huberLoss', (x) => huberLoss(x, numbers)],
    ['bceWithLogits', (x) => bceWithLogits(x, numbers)],
  ])('%s is that of finite differences', (_, loss) => {
    const penalty = (x: tf.Tensor): tf.Scalar => tf.sum(tf.square(tf.mul(5, tf.grad((y) => loss(y) as tf.Scalar)(x))))
    const values = Float32Array.of(0.3, -0.7, 1.1, 0.4, -0.2, 0.6)
    const at = (given: Float32Array) => tf.tensor2d(given, [2, 3])
    const found = tf.grad(penalty)(at(values)).dataSync()
    const step = 1e-2
    for (let k = 0; k < values.length; k++) {
      const [above, below] = [step, -step].map(
        (by) => penalty(at(values.map((value, place) => (place === k ? value + by : value)))).dataSync()[0],
      )
      expect(Math.abs(found[k] - (above - below) / (2 * step))).toBeLessThan(1e-2)
    }
  })
})
