import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Cell, recurrent } from '../src'
import { GATES } from '../src/cell'

beforeAll(async () => {
  await tf.setBackend('wasm')
})

/** |∂/∂x Σ h²|², of which the gradient is taken once more. */
function penalty(layer: (x: tf.Tensor) => tf.Tensor): (x: tf.Tensor) => tf.Scalar {
  return (x) => tf.sum(tf.square(tf.grad((y) => tf.sum(tf.square(layer(y))))(x)))
}

describe('a gradient of a gradient', () => {
  it.each<Cell>(['lstm', 'gru', 'gru_reset_before', 'rnn_tanh'])('of %s is that of finite differences', (cell) => {
    const rows = GATES[cell] * 2
    const [weightIh, weightHh] = [
      tf.randomUniform([rows, 3], -1, 1, 'float32', 1) as tf.Tensor2D,
      tf.randomUniform([rows, 2], -1, 1, 'float32', 2) as tf.Tensor2D,
    ]
    const layer = (x: tf.Tensor) => recurrent(x as tf.Tensor3D, { weightIh, weightHh }, { cell }).h
    const x = tf.randomUniform([1, 2, 3], -1, 1, 'float32', 3)
    const found = tf.grad(penalty(layer))(x).dataSync()
    const step = 2e-2
    const values = x.dataSync()
    for (let k = 0; k < values.length; k++) {
      const [above, below] = [step, -step].map((by) => {
        const moved = tf.tensor3d(
          values.map((value, at) => (at === k ? value + by : value)),
          [1, 2, 3],
        )
        return penalty(layer)(moved).dataSync()[0]
      })
      expect(Math.abs(found[k] - (above - below) / (2 * step))).toBeLessThan(2e-3 + 0.02 * Math.abs(found[k]))
    }
  })
})
