import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import {
  accuracy,
  crossEntropy,
  earlyStopping,
  type FitOptions,
  fit,
  mseLoss,
  predict,
  r2,
  SGD,
  type Trainable,
  testModel,
  topK,
  trainModel,
} from '../src'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** y = x·w, on the tape. */
function linear(): Trainable {
  const w = tf.variable(tf.fill([2, 1], 0.5))
  return {
    forward: (x: tf.Tensor2D) => tf.matMul(x, w as tf.Tensor2D),
    parameters: () => ({ w }),
    stateDict: () => ({ w }),
    loadStateDict: ({ w: values }) => w.assign(values as tf.Tensor2D),
  }
}

const batches = () => [{ inputs: tf.ones([4, 2]), targets: tf.zeros([4, 1]) }]
const run = (options: Partial<FitOptions>, model = linear()) =>
  fit(model, {
    optimizer: new SGD(model.parameters(), { lr: 0.1 }),
    train: batches(),
    loss: mseLoss,
    epochs: 3,
    ...options,
  })

describe('fit', () => {
  it('ends with an error when a weight is no number after an epoch, also without a checkpoint', async () => {
    const model = linear()
    const optimizer = new SGD(model.parameters(), { lr: 1e30 })
    const train = [{ inputs: tf.fill([4, 2], 1e10), targets: tf.zeros([4, 1]) }]
    await expect(run({ optimizer, train, epochs: 1 }, model)).rejects.toThrow(
      expect.objectContaining({
        code: 'NOT_FINITE',
        message: expect.stringMatching(/epoch 1: w has a weight that is NaN/),
      }),
    )
  })

  it.each([
    ['NaN', (epoch: number) => (epoch === 1 ? Number.NaN : 0.1), /gave NaN as lr of epoch 1, counted from 0/],
    ['a negative number', () => -1, /gave -1 as lr of epoch 0/],
    ['nothing', () => undefined as unknown as number, /gave undefined as lr of epoch 0/],
    [
      'numbers by what is not known',
      Object.assign(() => 0.1, { by: 'batch' as 'step' }),
      /by is "batch", expected 'epoch' or 'step'/,
    ],
  ])('refuses a schedule that gives %s', async (_, schedule, message) => {
    await expect(run({ schedule })).rejects.toThrow(
      expect.objectContaining({ code: 'TRAIN_OPTION', message: expect.stringMatching(message) }),
    )
  })

  it.each([
    ['a constant', () => tf.scalar(1)],
    ['values that left the tape', (o: tf.Tensor) => tf.scalar(o.dataSync()[0] ** 2)],
  ])('refuses a loss of %s, which no parameter has a part in', async (_, loss) => {
    await expect(run({ loss })).rejects.toThrow(/the loss depends on no parameter of the model/)
  })

  it.each([
    ['nothing', () => undefined, /the loss is undefined, expected a tensor of one number/],
    ['a promise', async () => tf.scalar(1), /the loss is an object of class Promise, expected a tensor/],
  ])('refuses a loss that gives %s', async (_, loss, message) => {
    await expect(run({ loss: loss as never })).rejects.toThrow(message)
  })

  it('keeps no tensor of a step whose loss fails', async () => {
    const [model, train] = [linear(), batches()]
    const loss = () => {
      throw new Error('mine')
    }
    const before = tf.memory().numTensors
    for (let k = 0; k < 3; k++)
      await expect(trainModel(model, new SGD(model.parameters(), { lr: 1 }), loss, train)).rejects.toThrow('mine')
    expect(tf.memory().numTensors).toBe(before)
  })

  it('keeps the types of its metrics beside callbacks, and refuses a misspelt name', () => {
    const typed = async (model: Trainable, options: Pick<FitOptions, 'optimizer' | 'train' | 'validation'>) => {
      const metrics = { accuracy: accuracy() }
      const { history } = await fit(model, { ...options, metrics, callbacks: [earlyStopping({ monitor: 'accuracy' })] })
      expectTypeOf(history[0].validation?.metrics.accuracy).toEqualTypeOf<number | undefined>()
      // @ts-expect-error no such metric
      return history[0].validation?.metrics.acuracy
    }
    expectTypeOf(typed).toBeFunction()
  })
})

describe('a signal that is none', () => {
  const controller = new AbortController() as unknown as AbortSignal
  const expected = /got an object of class AbortController as its signal, expected an AbortSignal: controller\.signal/
  const trainOnce = (model: Trainable) =>
    trainModel(model, new SGD(model.parameters(), { lr: 1 }), mseLoss, batches(), { signal: controller })
  it.each([
    ['fit', () => run({ signal: controller })],
    ['trainModel', () => trainOnce(linear())],
    ['testModel', () => testModel(linear(), batches(), { loss: mseLoss, signal: controller })],
    ['predict', () => predict(linear(), tf.ones([4, 2]), { signal: controller })],
  ])('is refused by %s', async (_, call) => {
    await expect(call()).rejects.toThrow(expected)
  })
})

describe('a model that gives no tensor', () => {
  const model = { ...linear(), forward: () => [tf.ones([4, 1])] as unknown as tf.Tensor }
  it.each([
    ['testModel', () => testModel(model, batches(), { loss: mseLoss })],
    ['predict', () => predict(model, tf.ones([4, 2]))],
    ['fit', () => run({}, model)],
  ])('is refused by %s', async (_, call) => {
    await expect(call()).rejects.toThrow(/the model's forward\(\) gave an array, expected a tensor/)
  })
})

describe('metrics', () => {
  const values = (...numbers: number[]) => Float32Array.from(numbers)
  it('refuse a k that is more than the classes', () => {
    const targets = { values: Int32Array.of(1), shape: [1], dtype: 'int32' as const }
    const outputs = { values: values(1, 2), shape: [1, 2], dtype: 'float32' as const }
    expect(() => topK({ k: 3 }).update(outputs, targets)).toThrow(/topK: k is 3, the outputs have 2 classes; lower k/)
  })

  it('have no R² of one target', () => {
    const metric = r2()
    metric.reset()
    const one = { values: values(1), shape: [1, 1], dtype: 'float32' as const }
    metric.update(one, one)
    expect(metric.value()).toBeNaN()
  })
})

describe('crossEntropy', () => {
  it.each([
    ['one-hot targets', [4, 3], [4, 3], /take the classes: tf\.argMax\(targets, -1\)/],
    ['classes on the second axis', [4, 3, 5], [4, 5], /bring the classes last: tf\.transpose/],
  ])('says what helps with %s', (_, outputs, targets, message) => {
    expect(() => crossEntropy(tf.ones(outputs), tf.ones(targets, 'int32'))).toThrow(message)
  })
})
