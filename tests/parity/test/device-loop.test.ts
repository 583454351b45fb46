import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataLoader as AnyLoader, TensorDataset } from '@rowwise/data'
import { DataLoader, type ImageDataset, imageDataset, normalize } from '@rowwise/data-mnist'
import { Embedding, GRU, Linear, LSTMNet, lastStep, load, Sequential, save } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import {
  Adam,
  AdamW,
  accuracy,
  confusion,
  crossEntropy,
  type FitOptions,
  fit,
  type Optimizer,
  perplexity,
  predict,
  RMSprop,
  SGD,
  type Trainable,
  testModel,
} from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeDeviceBackend } from './device-backend'

beforeAll(async () => {
  makeDeviceBackend()
  await tf.setBackend('device')
})

const images = (): ImageDataset => {
  const generator = new Generator(1)
  const pixels = generator.uniform(new Float32Array(100 * 36), 0, 255)
  const labels = Uint8Array.from({ length: 100 }, (_, at) => at % 3)
  const images = Uint8Array.from(pixels)
  return imageDataset({ name: 'drawn', height: 6, width: 6, images, labels, classNames: ['a', 'b', 'c'] })
}

const network = (seed = 0) =>
  new LSTMNet({ inputSize: 6, hiddenSize: 8, numClasses: 3, generator: new Generator(seed) })

const optimizers: [string, (model: Trainable) => Optimizer][] = [
  ['Adam', (model) => new Adam(model, { lr: 0.01 })],
  ['AdamW with amsgrad', (model) => new AdamW(model, { lr: 0.01, amsgrad: true })],
  ['SGD with momentum', (model) => new SGD(model, { lr: 0.1, momentum: 0.9 })],
  ['RMSprop', (model) => new RMSprop(model, { lr: 0.001, momentum: 0.5, centered: true })],
]

describe('a device that cannot be read synchronously', () => {
  it('refuses to be', () => {
    expect(() => tf.square(2).dataSync()).toThrow('cannot be read synchronously')
  })

  it.each(optimizers)(
    'trains with %s, validates, clips, saves and resumes',
    { timeout: 60_000 },
    async (_, optimizer) => {
      const dataset = images()
      const run = async (options: Partial<FitOptions>) => {
        const generator = new Generator(2)
        const model = network()
        const losses: number[] = []
        const result = await fit(model, {
          optimizer: optimizer(model),
          train: new DataLoader(dataset, { batchSize: 16, shuffle: true, generator, transform: normalize(0.5, 0.5) }),
          validation: new DataLoader(dataset, { batchSize: 50 }),
          metrics: { accuracy: accuracy(), confusion: confusion() },
          maxGradientNorm: 1,
          callbacks: [{ onBatchEnd: async ({ loss, meanLoss }) => void losses.push(await loss(), await meanLoss()) }],
          epochs: 2,
          ...options,
        })
        const weights = await Promise.all(Object.values(model.stateDict()).map((tensor) => tensor.array()))
        return { ...result, losses, weights }
      }
      const whole = await run({})
      expect(whole.losses.every(Number.isFinite)).toBe(true)
      expect(whole.history[1].validation?.samples).toBe(100)
      const directory = mkdtempSync(join(tmpdir(), 'rowwise-device-'))
      const controller = new AbortController()
      let steps = 0
      const stop = { onBatchEnd: () => void (++steps === 9 && controller.abort()) }
      await run({ checkpoint: directory, callbacks: [stop], signal: controller.signal })
      const resumed = await run({ checkpoint: directory, resume: true })
      expect(resumed.weights).toEqual(whole.weights)
    },
  )

  it('predicts, and saves and loads files', async () => {
    const [model, inputs] = [network(), tf.randomUniform([9, 6, 6], 0, 1, 'float32', 1)]
    const found = await predict(model, inputs, { batchSize: 4, probabilities: true })
    const again = load(network(5), await save(model))
    const expected = await predict(again, inputs, { probabilities: true })
    tf.test_util.expectArraysClose(await found.data(), await expected.data(), 1e-6)
  })

  it('reads tokens and writes a class for each step', { timeout: 60_000 }, async () => {
    const generator = new Generator(3)
    const model = new Sequential(
      new Embedding({ numEmbeddings: 5, embeddingDim: 4, generator }),
      new GRU({ inputSize: 4, hiddenSize: 6, numLayers: 2, generator }),
      new Linear({ inFeatures: 6, outFeatures: 5, generator }),
    )
    const tokens = tf.tensor2d([1, 2, 3, 4, 0, 1, 2, 3], [2, 4], 'int32')
    const batch = { inputs: tokens, targets: tf.tensor2d([2, 3, 4, -100, 1, 2, 3, -100], [2, 4], 'int32') }
    const options = { optimizer: new Adam(model, { lr: 0.02 }), train: [batch], epochs: 20 }
    const loss = crossEntropy.with({ labelSmoothing: 0.1 })
    const { history } = await fit(model, {
      ...options,
      loss,
      validation: [batch],
      metrics: { perplexity: perplexity() },
    })
    const [first, last] = [history[0], history[19]].map(
      ({ validation }) => validation?.metrics.perplexity ?? Number.NaN,
    )
    expect(last).toBeLessThan(first / 2)
  })

  it('refuses tokens of a loader that have no vector, whose values are at hand', () => {
    const model = new Embedding({ numEmbeddings: 5, embeddingDim: 4 })
    const column = { data: Int32Array.of(1, 5), shape: [1, 2] }
    for (const { inputs } of new AnyLoader(new TensorDataset({ inputs: column, targets: column }))) {
      expect(() => model.forward(inputs)).toThrow(/has the index 5, expected 0 to 4/)
    }
  })

  it.each([3, -1])('finds that a target that only the device knows is no class: %i', async (target) => {
    const model = new Sequential(new GRU({ inputSize: 6, hiddenSize: 3 }), lastStep())
    const targets = tf.add(tf.tensor1d([0, target - 1], 'int32'), tf.tensor1d([0, 1], 'int32')) as tf.Tensor1D
    const batch = { inputs: tf.ones([2, 6, 6]), targets: tf.cast(targets, 'int32') }
    await expect(testModel(model, [batch], { metrics: { accuracy: accuracy() } })).rejects.toThrow(/the target/)
    const { loss } = await testModel(model, [batch])
    expect(loss).toBe(Number.NaN)
  })
})
