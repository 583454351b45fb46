import { LSTM } from '@rowwise/models-rnn'
import { configureKernels, type KernelOptions } from '@rowwise/rnn-kernels'
import { Adam, crossEntropy, valueAndGradients } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { isHere } from './paths'
import { sharesNear, Vectors, worstError } from './vectors'

const cases = [
  { name: 'lstmnet-mnist-batch64', layer: { inputSize: 28, hiddenSize: 64 }, steps: 10 },
  { name: 'lstmnet-small-2layer', layer: { inputSize: 7, hiddenSize: 6, numLayers: 2 }, steps: 5 },
  { name: 'lstmnet-small-bidirectional', layer: { inputSize: 5, hiddenSize: 8, bidirectional: true }, steps: 5 },
]

const places: [string, KernelOptions][] = [
  ['wasm', { path: 'off' }],
  ['wasm', { path: 'native', threads: 1 }],
  ['wasm', { path: 'native', threads: 2 }],
  ['wasm', { path: 'native', threads: 3 }],
  ['wasm', { path: 'native', threads: 5 }],
  ['wasm', { path: 'simd', threads: 1 }],
  ['wasm', { path: 'simd', threads: 2 }],
  ['wasm', { path: 'simd', threads: 3 }],
  ['wasm', { path: 'simd', threads: 5 }],
  ['wasm', { path: 'relaxed-simd', threads: 1 }],
  ['wasm', { path: 'relaxed-simd', threads: 2 }],
  ['wasm', { path: 'js' }],
  ['cpu', { path: 'off' }],
  ['cpu', { path: 'simd', threads: 2 }],
  ['cpu', { path: 'js' }],
]

describe.each(places.filter(([, kernels]) => isHere(kernels)))(
  'on the %s backend with the kernels %j',
  (backend, kernels) => {
    beforeAll(async () => {
      await tf.setBackend(backend)
      configureKernels(kernels)
    })

    describe.each(cases)('$name, as PyTorch computed it', ({ name, layer, steps }) => {
      const vectors = new Vectors(name)

      it('has its output, h_n and c_n within 1e-5', () => {
        const { output, hn, cn } = vectors.loadInto(new LSTM(layer)).forward(vectors.inputs())
        expect(
          worstError((output as tf.Tensor).dataSync(), vectors.values('lstm.output'), { absolute: 1e-5 }),
        ).toBeLessThan(1)
        expect(worstError(hn.dataSync(), vectors.values('lstm.h_n'), { absolute: 1e-5 })).toBeLessThan(1)
        expect(worstError(cn.dataSync(), vectors.values('lstm.c_n'), { absolute: 1e-5 })).toBeLessThan(1)
      })

      it('has its logits within 1e-5', () => {
        const logits = vectors.model().forward(vectors.inputs())
        expect(worstError(logits.dataSync(), vectors.values('logits'), { absolute: 1e-5 })).toBeLessThan(1)
      })

      it('has its loss within 1e-6 and every gradient within 1e-6 + 1e-4·|g|', () => {
        const batch = { inputs: vectors.inputs(), targets: vectors.targets() }
        const { loss, gradients } = valueAndGradients(vectors.model(), crossEntropy, batch)
        expect(Math.abs(loss.dataSync()[0] - vectors.values('loss')[0])).toBeLessThan(1e-6)
        expect(Object.keys(gradients)).toEqual(Object.keys(vectors.model().parameters()))
        for (const [parameter, gradient] of Object.entries(gradients)) {
          const expected = vectors.values(`grad.${parameter}`)
          expect([
            parameter,
            worstError(gradient.dataSync(), expected, { absolute: 1e-6, relative: 1e-4 }) < 1,
          ]).toEqual([parameter, true])
        }
      })

      it('has its gradient by the inputs within 1e-6 + 1e-4·|g|', () => {
        const model = vectors.model()
        const gradient = tf.grad((inputs: tf.Tensor) =>
          crossEntropy(model.forward(inputs as tf.Tensor3D), vectors.targets()),
        )
        const found = gradient(vectors.inputs()).dataSync()
        expect(worstError(found, vectors.values('grad.inputs'), { absolute: 1e-6, relative: 1e-4 })).toBeLessThan(1)
      })

      const adam = `has 99.9 % of its weights within 1e-5 after 1 and after ${steps} steps of Adam, and the losses on the way`
      it(adam, { timeout: 120_000 }, () => {
        const model = vectors.model()
        const optimizer = new Adam(model.parameters(), { lr: 1e-3 })
        const batch = { inputs: vectors.inputs(), targets: vectors.targets() }
        const losses = Array.from({ length: steps }, (_, index) => {
          const { loss, gradients } = valueAndGradients(model, crossEntropy, batch)
          optimizer.step(gradients)
          if (index === 0) expect(sharesNear(model, vectors, 'after1.')).toBeGreaterThan(0.999)
          return loss.dataSync()[0]
        })
        expect(sharesNear(model, vectors, `after${steps}.`)).toBeGreaterThan(0.999)
        expect(worstError(losses, vectors.values('losses'), { absolute: 1e-5 })).toBeLessThan(1)
      })
    })
  },
)
