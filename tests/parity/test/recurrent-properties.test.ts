import {
  type Cell,
  configureKernels,
  GATES,
  type GateActivation,
  hasCellState,
  type KernelOptions,
  recurrent,
} from '@rowwise/rnn-kernels'
import { Generator } from '@rowwise/torch-random'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { isHere } from './paths'
import { worstError } from './vectors'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const cells: [Cell, GateActivation][] = [
  ['lstm', 'sigmoid'],
  ['lstm', 'hard_sigmoid'],
  ['gru', 'sigmoid'],
  ['gru', 'hard_sigmoid'],
  ['gru_reset_before', 'sigmoid'],
  ['gru_reset_before', 'hard_sigmoid'],
  ['rnn_tanh', 'sigmoid'],
  ['rnn_relu', 'sigmoid'],
]

const problems = fc.record({
  cell: fc.constantFrom(...cells),
  batch: fc.integer({ min: 1, max: 12 }), // a few rows go through the steps together
  time: fc.integer({ min: 1, max: 6 }),
  inputSize: fc.integer({ min: 1, max: 9 }),
  hiddenSize: fc.integer({ min: 1, max: 19 }),
  reverse: fc.boolean(),
  hasLengths: fc.boolean(),
  hasInitial: fc.boolean(),
  hasBias: fc.boolean(),
  returnOutput: fc.boolean(),
  wanted: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  seed: fc.nat(),
})
type Problem = typeof problems extends fc.Arbitrary<infer T> ? T : never

/** Everything that the operation may be differentiated by, by name. */
function tensorsOf({ cell: [cell], batch, time, inputSize, hiddenSize, hasInitial, hasBias, seed }: Problem) {
  const generator = new Generator(seed)
  const draw = (...shape: number[]) =>
    tf.tensor(generator.uniform(new Float32Array(tf.util.sizeFromShape(shape)), -1, 1), shape)
  const rows = GATES[cell] * hiddenSize
  // PyTorch's scale. With larger weights ReLU's states grow, and gradients become differences of large numbers.
  const weight = (...shape: number[]) => tf.div(draw(...shape), Math.sqrt(hiddenSize))
  return {
    x: draw(batch, time, inputSize),
    weightIh: weight(rows, inputSize),
    weightHh: weight(rows, hiddenSize),
    ...(hasBias && { biasIh: weight(rows), biasHh: weight(rows) }),
    ...(hasInitial && { h: draw(batch, hiddenSize) }),
    ...(hasInitial && hasCellState(cell) && { c: draw(batch, hiddenSize) }),
  } as Record<string, tf.Tensor>
}

function lengthsOf({ hasLengths, batch, time, seed }: Problem): Int32Array | undefined {
  const drawn = new Generator(seed + 1).uniform(new Float32Array(batch), 1, time + 1)
  return hasLengths ? Int32Array.from(drawn, (value) => Math.min(time, Math.floor(value))) : undefined
}

/** Outputs, and the gradients that are wanted, of one loss of all outputs. */
function compute(kernels: KernelOptions, problem: Problem): Record<string, number[]> {
  configureKernels(kernels)
  const { cell, reverse, returnOutput, wanted } = problem
  const tensors = tensorsOf(problem)
  const names = Object.keys(tensors)
  const chosen = [...new Set(wanted.map((place) => names[place % names.length]))]
  const run = (values: Record<string, tf.Tensor>) => {
    const { x, h, c, ...weights } = values
    return recurrent(x as tf.Tensor3D, weights as never, {
      cell: cell[0],
      gateActivation: cell[1],
      reverse,
      returnOutput,
      lengths: lengthsOf(problem),
      ...(h && { initial: { h: h as tf.Tensor2D, ...(c && { c: c as tf.Tensor2D }) } }),
    })
  }
  return tf.tidy(() => {
    const loss = (...values: tf.Tensor[]) => {
      const outputs = run({ ...tensors, ...Object.fromEntries(chosen.map((name, k) => [name, values[k]])) })
      const parts = [tf.square(outputs.h), outputs.c && tf.sin(outputs.c), outputs.output && tf.cos(outputs.output)]
      return tf.addN(parts.filter((part) => part !== undefined).map((part) => tf.sum(part)))
    }
    const gradients = tf.grads(loss)(chosen.map((name) => tensors[name]))
    const found = {
      ...(run(tensors) as unknown as Record<string, tf.Tensor>),
      ...Object.fromEntries(chosen.map((name, k) => [`d${name}`, gradients[k]])),
    }
    return Object.fromEntries(
      Object.entries(found).flatMap(([name, value]) => (value ? [[name, Array.from(value.dataSync())]] : [])),
    )
  })
}

const paths: KernelOptions[] = [
  { path: 'native', threads: 2 },
  { path: 'simd', threads: 1 },
  { path: 'relaxed-simd', threads: 1 },
  { path: 'js' },
]

describe.each(paths.filter(isHere))('a recurrent layer with the kernels %j', (kernels) => {
  it('is the composed graph, for every cell, shape, lengths, initial state, and whichever gradients are wanted', {
    timeout: 120_000,
  }, () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const [fused, composed] = [compute(kernels, problem), compute({ path: 'off' }, problem)]
        const near = Object.entries(composed).map(([name, values]) => [
          name,
          worstError(fused[name], values, { absolute: 2e-5, relative: 2e-4 }) < 1,
        ])
        expect(near).toEqual(Object.keys(fused).map((name) => [name, true]))
      }),
      { numRuns: 200 },
    )
  })
})
