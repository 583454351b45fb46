import { DataLoader, loadMnist, normalize } from '@rowwise/data-mnist'
import { configureKernels, LSTMNet } from '@rowwise/models-rnn'
import { Generator } from '@rowwise/torch-random'
import { Adam, accuracy, fit } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import tenEpochs from '../vectors/ten-epochs-seed0.json' with { type: 'json' }
import { worstError } from './vectors'

it('the reference program begins as PyTorch’s does and classifies 97.26 % after ten epochs', {
  timeout: 600_000,
}, async () => {
  await tf.setBackend('wasm')
  configureKernels({ path: 'simd', threads: 2 })
  const { train, test } = await loadMnist()
  const generator = new Generator(tenEpochs.seed)
  const transform = normalize(0.1307, 0.3081)
  const model = new LSTMNet({ inputSize: 28, hiddenSize: 64, numLayers: 1, numClasses: 10, generator })
  const losses: number[] = []
  const { history } = await fit(model, {
    optimizer: new Adam(model.parameters(), { lr: 1e-3 }),
    train: new DataLoader(train, { batchSize: 64, shuffle: true, generator, transform }),
    validation: new DataLoader(test, { batchSize: 1000, transform }),
    metrics: { accuracy: accuracy() },
    epochs: 10,
    callbacks: [{ onBatchEnd: async ({ loss }) => void (losses.length < 8 && losses.push(await loss())) }],
  })
  expect(worstError(losses, tenEpochs.epochs[0].first_train_losses, { absolute: 1e-6 })).toBeLessThan(1)
  expect(history[9].validation?.samples).toBe(10_000)
  expect(history[9].validation?.metrics.accuracy).toBeGreaterThanOrEqual(0.9726)
})
