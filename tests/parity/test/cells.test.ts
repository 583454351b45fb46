import { type Cell, configureKernels, type KernelOptions, recurrent } from '@rowwise/rnn-kernels'
import { crossEntropy } from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isHere } from './paths'
import { Vectors, worstError } from './vectors'

const cases = [
  ...['gru-2layer', 'gru-bidirectional', 'gru-mnist-size', 'gru-no-bias', 'gru-lengths-bidirectional'],
  ...['rnn-tanh', 'rnn-relu-2layer-bidirectional', 'lstm-lengths', 'lstm-lengths-bidirectional'],
]

const places: [string, KernelOptions][] = [
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
  ['cpu', { path: 'simd', threads: 2 }],
  ['cpu', { path: 'off' }],
]

interface Config {
  cell: 'LSTM' | 'GRU' | 'RNN'
  numLayers: number
  bidirectional: boolean
  nonlinearity?: 'tanh' | 'relu'
}

type Named = Record<string, tf.Tensor>

/** What PyTorch's module and the layer after it compute, from inputs and parameters by their names. */
function network(vectors: Vectors, inputs: tf.Tensor, parameters: Named) {
  const { cell, numLayers, bidirectional, nonlinearity = 'tanh' }: Config = JSON.parse(vectors.metadata.config)
  const kind = (cell === 'RNN' ? `rnn_${nonlinearity}` : cell.toLowerCase()) as Cell
  const lengths = vectors.lengths()
  const finals: { h: tf.Tensor; c?: tf.Tensor }[] = []
  let output = inputs as tf.Tensor3D
  for (let layer = 0; layer < numLayers; layer++) {
    const read = output
    const sides = (bidirectional ? ['', '_reverse'] : ['']).map((direction) => {
      const of = (name: string) => parameters[`rnn_1.${name}_l${layer}${direction}`]
      const weights = {
        weightIh: of('weight_ih') as tf.Tensor2D,
        weightHh: of('weight_hh') as tf.Tensor2D,
        ...(of('bias_ih') && { biasIh: of('bias_ih') as tf.Tensor1D, biasHh: of('bias_hh') as tf.Tensor1D }),
      }
      return recurrent(read, weights, { cell: kind, reverse: direction !== '', lengths })
    })
    finals.push(...sides)
    output = tf.concat(
      sides.map((side) => side.output as tf.Tensor3D),
      2,
    )
  }
  const last = lengths
    ? tf.concat(
        finals.slice(bidirectional ? -2 : -1).map(({ h }) => h as tf.Tensor2D),
        1,
      )
    : tf.squeeze<tf.Tensor2D>(tf.slice(output, [0, output.shape[1] - 1, 0], [-1, 1, -1]), [1])
  const logits = tf.add(
    tf.matMul(last, parameters['fc_1.weight'] as tf.Tensor2D, false, true),
    parameters['fc_1.bias'],
  ) as tf.Tensor2D
  return { output, logits, finals }
}

function parametersOf(vectors: Vectors): Named {
  const entries = Object.entries(vectors.group('init.'))
  return Object.fromEntries(
    entries.map(([name, { data, shape }]) => [name, tf.tensor(data as Float32Array, [...shape])]),
  )
}

describe.each(places.filter(([, kernels]) => isHere(kernels)))(
  'on the %s backend with the kernels %j',
  (backend, kernels) => {
    beforeAll(async () => {
      await tf.setBackend(backend)
      configureKernels(kernels)
    })
    afterAll(() => void configureKernels({}))

    describe.each(cases)('%s, as PyTorch computed it', (name) => {
      const vectors = new Vectors(name)

      it('has its output, final states and logits within 1e-5', () => {
        const { output, logits, finals } = network(vectors, vectors.inputs(), parametersOf(vectors))
        const off = (found: tf.Tensor, expected: string) =>
          worstError(found.dataSync(), vectors.values(expected), { absolute: 1e-5 })
        expect(off(output, 'output')).toBeLessThan(1)
        expect(off(logits, 'logits')).toBeLessThan(1)
        expect(off(tf.stack(finals.map(({ h }) => h)), 'h_n')).toBeLessThan(1)
        const cells = finals.flatMap(({ c }) => (c ? [c] : []))
        if (cells.length > 0) expect(off(tf.stack(cells), 'c_n')).toBeLessThan(1)
      })

      it('has its loss within 1e-6 and every gradient within 1e-6 + 1e-4·|g|', () => {
        const parameters = parametersOf(vectors)
        const names = Object.keys(parameters)
        const loss = (inputs: tf.Tensor, ...values: tf.Tensor[]) => {
          const named = Object.fromEntries(names.map((each, index) => [each, values[index]]))
          return crossEntropy(network(vectors, inputs, named).logits, vectors.targets())
        }
        const { value, grads } = tf.valueAndGrads(loss)([vectors.inputs(), ...Object.values(parameters)])
        expect(Math.abs(value.dataSync()[0] - vectors.values('loss')[0])).toBeLessThan(1e-6)
        const errors = ['inputs', ...names].map((each, index) => [
          each,
          worstError(grads[index].dataSync(), vectors.values(`grad.${each}`), { absolute: 1e-6, relative: 1e-4 }) < 1,
        ])
        expect(errors).toEqual(['inputs', ...names].map((each) => [each, true]))
      })
    })
  },
)
