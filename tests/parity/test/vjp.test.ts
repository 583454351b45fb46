import { LSTMNet, type LSTMNetConfig } from '@rowwise/models-rnn'
import { configureKernels } from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
import { Adam, crossEntropy, type Trainable, valueAndGradients } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const config = { inputSize: 5, hiddenSize: 6, numClasses: 4 }
const network = (options: LSTMNetConfig = {}) => new LSTMNet({ ...config, ...options, generator: new Generator(3) })

const batch = (samples = 7) => ({
  inputs: tf.tensor3d(new Generator(1).uniform(new Float32Array(samples * 3 * 5), -1, 1), [samples, 3, 5]),
  targets: tf.tensor1d(Int32Array.from({ length: samples }, (_, sample) => sample % 4)),
})

/** The same model for whom only TensorFlow.js's tape is left. */
const onTape = (model: LSTMNet): Trainable => ({
  forward: (inputs) => model.forward(inputs),
  parameters: () => model.parameters(),
  stateDict: () => model.stateDict(),
  loadStateDict: (stateDict) => model.loadStateDict(stateDict),
})

const numbers = (named: Readonly<Record<string, tf.Tensor>>) =>
  Object.fromEntries(Object.entries(named).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]))

/** Loss, gradients, and the weights after some steps of Adam. */
function train(model: LSTMNet, trainable: Trainable) {
  const optimizer = new Adam(model.parameters(), { lr: 0.01 })
  const steps = [7, 2, 7].map((samples) => {
    const { loss, gradients } = valueAndGradients(trainable, crossEntropy, batch(samples))
    optimizer.step(gradients)
    const found = { loss: loss.dataSync()[0], gradients: numbers(gradients) }
    tf.dispose([loss, { ...gradients }])
    return found
  })
  return { steps, weights: numbers(model.parameters()) }
}

afterEach(() => configureKernels({ path: 'auto' }))

describe.each([
  ['wasm', 'auto'],
  ['cpu', 'auto'],
  ['cpu', 'js'],
] as const)('on the %s backend with %s kernels, LSTMNet’s own way back', (backend, path) => {
  beforeEach(() => configureKernels({ path }))

  it.each([{}, { bias: false }, { numLayers: 2 }, { numLayers: 6, bias: false }])(
    'gives the bits of TensorFlow.js’s tape, loss, gradients and weights after training, %o',
    async (options) => {
      await tf.setBackend(backend)
      const [own, taped] = [network(options), network(options)]
      expect(own.vjp(batch().inputs)?.release()).toBeUndefined()
      expect(train(own, own)).toEqual(train(taped, onTape(taped)))
    },
  )

  it('leaves no tensor behind, also when a target is no class, after which training goes on', async () => {
    await tf.setBackend(backend)
    const [model, { inputs, targets }] = [network(), batch()]
    const stray = tf.tensor1d(new Int32Array(7).fill(9))
    const before = tf.memory().numTensors
    expect(() => valueAndGradients(model, crossEntropy, { inputs, targets: stray })).toThrow(/target 0 is 9/)
    const { loss, gradients } = valueAndGradients(model, crossEntropy, { inputs, targets })
    tf.dispose([loss, { ...gradients }])
    expect(tf.memory().numTensors).toBe(before)
  })

  it('refuses inputs of another shape as forward does', async () => {
    await tf.setBackend(backend)
    expect(() => network().vjp(tf.zeros([2, 3, 4]))).toThrow(/LSTMNet\(inputSize 5\) expects/)
  })
})

describe('LSTMNet leaves the way back to the tape', () => {
  class Doubled extends LSTMNet {
    override forward(inputs: tf.Tensor3D): tf.Tensor2D {
      return tf.mul(super.forward(inputs), 2)
    }
  }

  it.each([
    ['with dropout between layers', () => network({ numLayers: 2, dropout: 0.5 })],
    ['in both directions', () => network({ bidirectional: true })],
    ['in a class that computes something else', () => new Doubled({ ...config, generator: new Generator(3) })],
  ] as const)('%s, whose gradients are then those of what it computes', async (_, make) => {
    await tf.setBackend('wasm')
    const [model, taped] = [make(), make()]
    expect(model.vjp(batch().inputs)).toBeUndefined()
    expect(train(model, model)).toEqual(train(taped, onTape(taped)))
  })

  it('with the kernels switched off', async () => {
    await tf.setBackend('wasm')
    configureKernels({ path: 'off' })
    expect(network().vjp(batch().inputs)).toBeUndefined()
  })

  it('where a parameter is frozen, which then gets no gradient', async () => {
    await tf.setBackend('wasm')
    const model = network()
    model.parameters()['fc_1.bias'].trainable = false
    const { gradients } = valueAndGradients(model, crossEntropy, batch())
    expect(Object.keys(gradients)).toEqual(Object.keys(model.parameters()).filter((name) => name !== 'fc_1.bias'))
  })

  it('inside of another gradient', async () => {
    await tf.setBackend('wasm')
    const model = network()
    let inside: unknown
    tf.grad((inputs) => {
      inside = model.vjp(inputs as tf.Tensor3D)
      return model.forward(inputs as tf.Tensor3D)
    })(batch().inputs)
    expect(inside).toBeUndefined()
  })
})
