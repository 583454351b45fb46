import { selectBackend } from '@rowwise/backend-select'
import { Linear, LSTM, lastStep, type SequenceInputs, Sequential, Softmax } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { usable } from '../src/run/foreign-model'

beforeAll(async () => {
  await selectBackend({ prefer: 'cpu' })
})

/** Leaves out the last two steps, as a mask may. */
class Masked extends Sequential {
  override forward(inputs: tf.Tensor | SequenceInputs) {
    return super.forward(inputs, { lengths: [3, 3] })
  }
}

describe('a model that another program made', () => {
  it.each([
    ['a chain', Sequential],
    ['one that masks', Masked],
  ])('gives logits where it gives probabilities: %s', (_, Model) => {
    const generator = new Generator(0)
    const lstm = new LSTM({ inputSize: 2, hiddenSize: 4, generator })
    const model = new Model(lstm, lastStep(), new Linear({ inFeatures: 4, outFeatures: 3, generator }), new Softmax())
    const x = tf.tensor3d(generator.uniform(new Float32Array(20), -1, 1), [2, 5, 2])
    const expected = model.forward(x).dataSync()
    const net = usable(model)
    expect(net.config).toMatchObject({ inputSize: 2, numClasses: 3 })
    const found = tf.softmax(net.forward(x)).dataSync()
    expect(Math.max(...found.map((value, at) => Math.abs(value - expected[at])))).toBeLessThan(1e-6)
  })
})
