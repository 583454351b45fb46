import {
  finalHidden,
  GRU,
  type Layer,
  Linear,
  LSTM,
  lastStep,
  type RecurrentLayer,
  RNN,
  Sequential,
} from '@rowwise/models-rnn'
import { configureKernels, type KernelOptions } from '@rowwise/rnn-kernels'
import { Adam, type Batch, crossEntropy, type Trainable, valueAndGradients } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onTape } from './on-tape'
import { isHere } from './paths'
import { sharesNear, Vectors, worstError } from './vectors'

const cases = [
  ...['gru-2layer', 'gru-bidirectional', 'gru-mnist-size', 'gru-no-bias', 'gru-lengths-bidirectional'],
  ...['rnn-tanh', 'rnn-relu-2layer-bidirectional', 'lstm-lengths', 'lstm-lengths-bidirectional'],
]

const places: [string, KernelOptions][] = [
  ['wasm', { path: 'native', threads: 2 }],
  ['wasm', { path: 'relaxed-simd', threads: 2 }],
  ['wasm', { path: 'simd', threads: 1 }],
  ['wasm', { path: 'js' }],
  ['cpu', { path: 'auto' }],
  ['cpu', { path: 'off' }],
]

/** What PyTorch's vectors are of: a recurrent layer, what picks one state of it, and a linear layer. */
function network(vectors: Vectors) {
  const config = JSON.parse(vectors.metadata.config)
  const { cell, inputSize, hiddenSize, numLayers, numClasses, bidirectional, bias = true, nonlinearity } = config
  const sizes = { inputSize, hiddenSize, numLayers, bidirectional, bias }
  const recurrent: RecurrentLayer =
    cell === 'LSTM'
      ? (new LSTM(sizes) as unknown as RecurrentLayer)
      : cell === 'GRU'
        ? new GRU(sizes)
        : new RNN({ ...sizes, nonlinearity })
  const layers: Record<string, Layer> = {
    rnn_1: recurrent,
    last: vectors.lengths() ? finalHidden() : lastStep(),
    fc_1: new Linear({ inFeatures: recurrent.outputSize, outFeatures: numClasses }),
  }
  const net = new Sequential(layers)
  net.loadStateDict(vectors.group('init.'))
  return { net, recurrent }
}

const batchOf = (vectors: Vectors): Batch => {
  const [inputs, lengths] = [vectors.inputs(), vectors.lengths()]
  return { inputs: lengths ? { inputs, lengths } : inputs, targets: vectors.targets() }
}

const near = (found: tf.Tensor, expected: ArrayLike<number>, absolute: number, relative = 0) =>
  worstError(found.dataSync(), expected, { absolute, relative }) < 1

describe.each(places.filter(([, kernels]) => isHere(kernels)))(
  'on the %s backend with the kernels %j',
  (backend, kernels) => {
    beforeAll(async () => {
      await tf.setBackend(backend)
      configureKernels(kernels)
    })
    afterAll(() => void configureKernels({}))

    describe.each(cases)('layers as in %s', (name) => {
      const vectors = new Vectors(name)

      it('have PyTorch’s output, final states and logits within 1e-5', () => {
        const { net, recurrent } = network(vectors)
        const { output, hn, ...rest } = recurrent.forward(vectors.inputs(), { lengths: vectors.lengths() })
        const found = { output, h_n: hn, logits: net.forward(batchOf(vectors).inputs as tf.Tensor) }
        for (const [key, value] of Object.entries(found)) {
          expect([key, near(value, vectors.values(key), 1e-5)]).toEqual([key, true])
        }
        if ('cn' in rest) expect(near(rest.cn as tf.Tensor, vectors.values('c_n'), 1e-5)).toBe(true)
      })

      it.each([
        ['pullbacks', (net: Sequential): Trainable => net],
        ['the tape', (net: Sequential): Trainable => onTape(net)],
      ])('have its loss, gradients and weights after five steps of Adam, by %s', (way, of) => {
        const { net } = network(vectors)
        const optimizer = new Adam(net, { lr: 1e-3 })
        const canPullBack = kernels.path !== 'off'
        expect(net.hasPullback()).toBe(canPullBack)
        const losses: number[] = []
        for (let step = 1; step <= 5; step++) {
          const { loss, gradients } = valueAndGradients(of(net), crossEntropy, batchOf(vectors))
          losses.push(loss.dataSync()[0])
          if (step === 1) {
            expect(Object.keys(gradients)).toEqual(Object.keys(net.parameters()))
            for (const [parameter, gradient] of Object.entries(gradients)) {
              const expected = vectors.values(`grad.${parameter}`)
              expect([way, parameter, near(gradient, expected, 1e-6, 1e-4)]).toEqual([way, parameter, true])
            }
          }
          optimizer.step(gradients)
          if (step === 1 || step === 5) expect(sharesNear(net, vectors, `after${step}.`)).toBeGreaterThan(0.999)
        }
        expect(Math.abs(losses[0] - vectors.values('loss')[0])).toBeLessThan(1e-6)
        expect(worstError(losses, vectors.values('losses'), { absolute: 1e-5 })).toBeLessThan(1)
      })

      it.runIf(kernels.path !== 'off')('have its gradient by the inputs, by pullbacks', () => {
        const { net } = network(vectors)
        const { inputs, targets } = batchOf(vectors)
        const pass = net.vjp(inputs as tf.Tensor, { inputGradient: true }) as NonNullable<ReturnType<typeof net.vjp>>
        const known = crossEntropy.vjp(pass.value, targets)
        const found = pass.pullback((known as NonNullable<typeof known>).pullback())
        expect(near(found.inputs as tf.Tensor, vectors.values('grad.inputs'), 1e-6, 1e-4)).toBe(true)
        pass.release()
      })
    })
  },
)
