import * as tf from '@tensorflow/tfjs-core'
import type { Batch, Trainable } from '../src'

/** The smallest trainable thing: logits = x·W, from `[N, 2]` to `[N, 3]`; starts at zero. */
export class SoftmaxRegression implements Trainable {
  training = true
  readonly weight = tf.variable(tf.zeros([2, 3]))

  forward(inputs: tf.Tensor2D): tf.Tensor {
    return tf.matMul(inputs, this.weight as tf.Tensor as tf.Tensor2D)
  }

  parameters() {
    return { weight: this.weight }
  }

  stateDict() {
    return this.parameters()
  }

  loadStateDict({ weight }: Readonly<Record<string, tf.Tensor>>) {
    this.weight.assign(weight)
  }

  train(mode: boolean) {
    this.training = mode
  }
}

/** Four samples of three classes, in two batches of the caller's. */
export function batches(): Batch[] {
  return [
    {
      inputs: tf.tensor2d([
        [1, 0],
        [0, 1],
      ]),
      targets: tf.tensor1d([0, 1], 'int32'),
    },
    {
      inputs: tf.tensor2d([
        [-1, -1],
        [2, 0],
      ]),
      targets: tf.tensor1d([2, 0], 'int32'),
    },
  ]
}
