import { configureKernels, type KernelOptions, type RecurrentOptions, recurrent } from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { isHere } from './paths'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const [batch, time, inputSize, hiddenSize] = [7, 9, 5, 11]

interface Case {
  name: string
  options: RecurrentOptions
  /** tfjs-layers' own layer. */
  keras: (config: object) => ReturnType<typeof layers.layers.lstm>
  /** Where PyTorch's gates are among Keras's: LSTM i, f, c, o; GRU z, r, h. */
  gates: number[]
}

const lstm = (config: object) => layers.layers.lstm(config as never)
const gru = (config: object) =>
  layers.layers.gru({ resetAfter: false, ...config } as never) as unknown as ReturnType<typeof lstm>
const hard = { gateActivation: 'hard_sigmoid' } as const
const cases: Case[] = [
  { name: 'LSTM', options: { cell: 'lstm' }, keras: lstm, gates: [0, 1, 2, 3] },
  { name: 'LSTM with hard sigmoid', options: { cell: 'lstm', ...hard }, keras: lstm, gates: [0, 1, 2, 3] },
  { name: 'GRU, reset before', options: { cell: 'gru_reset_before' }, keras: gru, gates: [1, 0, 2] },
  {
    name: 'GRU, reset before, with hard sigmoid',
    options: { cell: 'gru_reset_before', ...hard },
    keras: gru,
    gates: [1, 0, 2],
  },
]

/** Random weights as Keras lays them out, large enough that hard gates are clipped at both ends. */
function kerasWeights(gates: number) {
  const generator = new Generator(3)
  const draw = (...shape: number[]) =>
    tf.tensor(generator.uniform(new Float32Array(tf.util.sizeFromShape(shape)), -1.5, 1.5), shape)
  const kernel = draw(inputSize, gates * hiddenSize) as tf.Tensor2D
  const recurrentKernel = draw(hiddenSize, gates * hiddenSize) as tf.Tensor2D
  return { kernel, recurrentKernel, bias: draw(gates * hiddenSize) as tf.Tensor1D }
}

const drawn = (seed: number, ...shape: number[]) =>
  tf.tensor(new Generator(seed).uniform(new Float32Array(tf.util.sizeFromShape(shape)), -1, 1), shape)
const inputs = () => drawn(1, batch, time, inputSize) as tf.Tensor3D
/** The loss is the sum of the outputs by these factors. */
const factors = () => drawn(2, batch, time, hiddenSize)

type Weights = ReturnType<typeof kerasWeights>

/** Outputs and gradients of tfjs-layers' own layer. */
function ofKeras({ options, keras, gates }: Case): tf.Tensor[] {
  const { kernel, recurrentKernel, bias } = kerasWeights(gates.length)
  const recurrentActivation = options.gateActivation === 'hard_sigmoid' ? 'hardSigmoid' : 'sigmoid'
  const layer = keras({ units: hiddenSize, recurrentActivation, returnSequences: true })
  const x = inputs()
  layer.apply(x)
  layer.setWeights([kernel, recurrentKernel, bias])
  const output = () => layer.apply(x) as tf.Tensor
  const { grads } = tf.variableGrads(() => tf.sum(tf.mul(output(), factors())) as tf.Scalar)
  const byInputs = tf.grad((value) => tf.sum(tf.mul(layer.apply(value) as tf.Tensor, factors())))(x)
  const trained = layer.trainableWeights.map((weight) => grads[(weight.read() as tf.Variable).name])
  return [output(), byInputs, ...trained]
}

/** Outputs and gradients of the kernels, of the same weights, in Keras's layout. */
function ofRowwise({ options, gates }: Case): tf.Tensor[] {
  const weights = kerasWeights(gates.length)
  const reordered = (tensor: tf.Tensor) => {
    const parts = tf.split(tensor, gates.length, -1)
    return tf.concat(
      gates.map((gate) => parts[gate]),
      -1,
    )
  }
  const run = (x: tf.Tensor, kernel: tf.Tensor, recurrentKernel: tf.Tensor, bias: tf.Tensor) => {
    const biasIh = reordered(bias) as tf.Tensor1D
    const { output } = recurrent(
      x as tf.Tensor3D,
      {
        weightIh: tf.transpose(reordered(kernel)) as tf.Tensor2D,
        weightHh: tf.transpose(reordered(recurrentKernel)) as tf.Tensor2D,
        biasIh,
        biasHh: tf.zerosLike(biasIh),
      },
      options,
    )
    return output as tf.Tensor
  }
  const values = ({ kernel, recurrentKernel, bias }: Weights) => [inputs(), kernel, recurrentKernel, bias] as const
  const loss = (...of: tf.Tensor[]) => tf.sum(tf.mul(run(of[0], of[1], of[2], of[3]), factors()))
  const gradients = tf.grads(loss)([...values(weights)])
  return [run(...values(weights)), ...gradients]
}

const paths: KernelOptions[] = [
  { path: 'native', threads: 1 },
  { path: 'simd', threads: 1 },
  { path: 'relaxed-simd', threads: 1 },
  { path: 'js' },
  { path: 'off' },
]

describe.each(paths.filter(isHere))('with the kernels %j', (kernels) => {
  it.each(cases)('$name is tfjs-layers’ own, outputs within 2e-6 and every gradient too', (which) => {
    configureKernels(kernels)
    const [found, expected] = [ofRowwise(which), ofKeras(which)].map((tensors) =>
      tensors.map((tensor) => tensor.dataSync()),
    )
    const worst = expected.map((values, k) => {
      const scale = k === 0 ? 1 : Math.max(1, ...Array.from(values, Math.abs))
      return Math.max(...Array.from(values, (value, at) => Math.abs(value - found[k][at]) / scale))
    })
    expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length))
    expect(Math.max(...worst), `output, dx, dKernel, dRecurrentKernel, dBias: ${worst}`).toBeLessThan(2e-6)
  })
})
