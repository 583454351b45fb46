import { Embedding, Linear, LSTM, Sequential } from '@rowwise/models-rnn'
import { configureKernels, type KernelOptions } from '@rowwise/rnn-kernels'
import {
  AdamW,
  clipGradientNorm,
  crossEntropy,
  gradientNorm,
  type LossFunction,
  valueAndGradients,
} from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onTape } from './on-tape'
import { isHere } from './paths'
import { sharesNear, Vectors, worstError } from './vectors'

const vectors = new Vectors('language-model')
const {
  vocab,
  dim,
  hiddenSize,
  optimizer: settings,
  label_smoothing,
  clip_grad_norm,
} = JSON.parse(vectors.metadata.config)

const network = () => {
  const net = new Sequential({
    embedding_1: new Embedding({ numEmbeddings: vocab, embeddingDim: dim, paddingIdx: 0 }),
    lstm_1: new LSTM({ inputSize: dim, hiddenSize, numLayers: 2 }),
    fc_1: new Linear({ inFeatures: hiddenSize, outFeatures: vocab }),
  })
  net.loadStateDict(vectors.group('init.'))
  return net
}

/** Cross-entropy with label smoothing over the steps whose target is not −100, of TensorFlow.js's operations: a user's own loss. */
const smoothed: LossFunction = (logits, targets) => {
  const logProbabilities = tf.logSoftmax(logits)
  const isCounted = tf.cast(tf.notEqual(targets, -100), 'float32')
  const wanted = tf.oneHot(tf.cast(tf.maximum(targets, 0), 'int32'), vocab)
  const mixed = tf.add(tf.mul(tf.cast(wanted, 'float32'), 1 - label_smoothing), label_smoothing / vocab)
  const losses = tf.neg(tf.sum(tf.mul(mixed, logProbabilities), -1))
  return tf.div(tf.sum(tf.mul(losses, isCounted)), tf.sum(isCounted))
}

const batch = () => ({ inputs: vectors.integers('inputs'), targets: vectors.integers('targets') })

const places: [string, KernelOptions][] = [
  ['wasm', { path: 'native', threads: 2 }],
  ['wasm', { path: 'simd', threads: 2 }],
  ['cpu', { path: 'js' }],
  ['cpu', { path: 'off' }],
]

describe.each(places.filter(([, kernels]) => isHere(kernels)))(
  'a language model on the %s backend with the kernels %j',
  (backend, kernels) => {
    beforeAll(async () => {
      await tf.setBackend(backend)
      configureKernels(kernels)
    })
    afterAll(() => void configureKernels({}))

    it('has PyTorch’s logits within 1e-5', () => {
      const logits = network().forward(vectors.integers('inputs'))
      expect(logits.shape).toEqual([4, 9, vocab])
      expect(worstError(logits.dataSync(), vectors.values('logits'), { absolute: 1e-5 })).toBeLessThan(1)
    })

    it.each<[string, boolean, LossFunction]>([
      ['pullbacks', false, crossEntropy.with({ labelSmoothing: label_smoothing })],
      ['pullbacks and a loss of one’s own', false, smoothed],
      ['the tape', true, smoothed],
    ])('has its gradients, their norm, and its weights after five steps, by %s', async (_, isTaped, loss) => {
      const net = network()
      const model = isTaped ? onTape(net) : net
      const { lr, weight_decay } = settings
      const optimizer = new AdamW(net, { lr, weightDecay: weight_decay })
      const losses: number[] = []
      for (let step = 1; step <= 5; step++) {
        const { loss: value, gradients } = valueAndGradients(model, loss, batch())
        losses.push(value.dataSync()[0])
        if (step === 1) {
          expect(Math.abs((await gradientNorm(gradients)) - vectors.values('gradient_norm')[0])).toBeLessThan(1e-5)
          for (const [parameter, gradient] of Object.entries(gradients)) {
            const expected = vectors.values(`grad.${parameter}`)
            const error = worstError(gradient.dataSync(), expected, { absolute: 1e-6, relative: 1e-4 })
            expect([parameter, error < 1]).toEqual([parameter, true])
          }
        }
        optimizer.step((await clipGradientNorm(gradients, clip_grad_norm)).gradients)
      }
      expect(worstError(losses, vectors.values('losses'), { absolute: 1e-5 })).toBeLessThan(1)
      expect(sharesNear(net, vectors, 'after5.')).toBeGreaterThan(0.999)
    })
  },
)
