import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Adam,
  accuracy,
  type Batch,
  crossEntropy,
  type EarlyStoppingOptions,
  earlyStopping,
  type FitOptions,
  fit,
  type LossOptions,
  stepLR,
  type Trainable,
  testModel,
  trainModel,
} from '../src'
import { batches, SoftmaxRegression } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const adam = (model = new SoftmaxRegression()) => new Adam(model.parameters())
const refusal = (code: string, message: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

/** Options of a run that would work, with changes that make it not. */
const fitWith = (changes: object) => {
  const model = new SoftmaxRegression()
  return fit(model, { optimizer: adam(model), train: batches(), epochs: 2, ...changes } as FitOptions)
}

function* oneShot(): Generator<Batch> {
  yield* batches()
}

describe('an optimizer of another model', () => {
  it('is refused, also where its tensors have the same names', async () => {
    const [mine, other] = [new SoftmaxRegression(), new SoftmaxRegression()]
    const refused = refusal('TRAIN_OPTION', /the optimizer was made for another model's weight/)
    await expect(fit(mine, { optimizer: adam(other), train: batches(), epochs: 1 })).rejects.toThrow(refused)
    await expect(trainModel(mine, adam(other), crossEntropy, batches())).rejects.toThrow(refused)
  })
})

describe('testModel refuses', () => {
  it('a loss that is not one number', async () => {
    const each = crossEntropy.with({ reduction: 'none' })
    await expect(testModel(new SoftmaxRegression(), batches(), { loss: each })).rejects.toThrow(
      refusal('TRAIN_OPTION', /the loss is a tensor of shape \[\d+\], expected one number/),
    )
  })
})

describe('fit refuses, before its first step,', () => {
  it.each<[string, object, RegExp]>([
    ['no training data', { train: undefined }, /train is undefined, expected batches/],
    ['a data set instead of batches', { train: { length: 3, images: [] } }, /train is an object, expected batches/],
    ['a text', { train: 'mnist' }, /train is "mnist"/],
    ['no optimizer', { optimizer: undefined }, /got undefined as its optimizer, expected one such as new Adam\(/],
    ['the optimizer’s class', { optimizer: Adam }, /got a function as its optimizer/],
    ['a loss by its name', { loss: 'crossEntropy' }, /got "crossEntropy" as its loss/],
    ['an option that it does not have', { epoch: 3 }, /fit\(\) has no option 'epoch', expected some of .*epochs/],
    ['Keras’s names', { validationData: [] }, /no option 'validationData'/],
    ['callbacks that are no list', { callbacks: {} }, /callbacks is an object, expected an array/],
    ['a callback that is a function', { callbacks: [() => {}] }, /callbacks\[0\] is a function/],
    ['an event that never comes', { callbacks: [{ onEpochStart() {} }] }, /has onEpochStart, which is never called/],
    ['a schedule that is no function', { schedule: 0.1 }, /schedule is 0.1/],
    ['a norm of 0', { maxGradientNorm: 0 }, /maxGradientNorm is 0/],
    ['an unknown setting of checkpoints', { checkpoint: { dir: 'x' } }, /checkpoint has no option 'dir'/],
    ['an iterator for several epochs', { train: oneShot() }, /train is an iterator, .* wanted 2 times/],
    ['an iterator to validate with', { validation: oneShot() }, /validation is an iterator/],
    ['a metric that was not made', { metrics: { accuracy } }, /metric accuracy is a function.*call it: accuracy\(\)/],
    ['metrics in an array', { metrics: [accuracy()] }, /got an array as metrics, expected them by name/],
    ['a metric that is called as a loss', { metrics: { trainLoss: accuracy() } }, /cannot be called trainLoss/],
    ['a best checkpoint by no metric', { checkpoint: { directory: 'x', monitor: 'f1' } }, /monitor is 'f1', but/],
  ])('%s', async (_, changes, message) => {
    await expect(fitWith(changes)).rejects.toThrow(refusal('TRAIN_OPTION', message))
  })

  it.each([
    ['undefined', undefined, /got undefined as its model, expected an object with forward, parameters/],
    ['a model of another library', { predict() {} }, /got an object as its model/],
  ])('%s instead of a model', async (_, model, message) => {
    const training = fit(model as unknown as Trainable, { optimizer: adam(), train: batches() })
    await expect(training).rejects.toThrow(refusal('TRAIN_OPTION', message))
  })

  it('an empty array of batches', async () => {
    await expect(fitWith({ train: [] })).rejects.toThrow(refusal('SOURCE_EMPTY', /train gave no batch/))
    await expect(fitWith({ test: [] })).rejects.toThrow(refusal('SOURCE_EMPTY', /test gave no batch/))
  })
})

describe('a source of batches', () => {
  it('that turns out to be empty ends the training with an error, not with NaN', async () => {
    const empty = { *[Symbol.iterator](): Iterator<Batch> {} }
    await expect(fitWith({ train: empty })).rejects.toThrow(refusal('SOURCE_EMPTY', /training data gave no batch/))
    await expect(testModel(new SoftmaxRegression(), empty)).rejects.toThrow(refusal('SOURCE_EMPTY', /test data/))
  })

  it('that is used up after one epoch ends the second with an error', async () => {
    const all = batches()
    const once = { [Symbol.iterator]: () => all.splice(0)[Symbol.iterator]() }
    await expect(fitWith({ train: once })).rejects.toThrow(refusal('SOURCE_EMPTY', /was used up before/))
  })

  it('may be an iterator for one epoch', async () => {
    expect((await fitWith({ train: oneShot(), epochs: 1 })).history).toHaveLength(1)
  })

  it.each<[string, object, RegExp]>([
    ['arrays for tensors', { inputs: [[1, 2]], targets: [0] }, /inputs of batch 1 is an array, expected a tensor/],
    ['pairs of tensors', [tf.zeros([1, 2]), tf.zeros([1])], /batch 1 is an array, expected \{ inputs, targets \}/],
    [
      'other names',
      { xs: tf.zeros([1, 2]), ys: tf.zeros([1]) },
      /inputs of batch 1 is undefined.*\(the batch has xs, ys\)/,
    ],
  ])('with %s is refused', async (_, batch, message) => {
    await expect(fitWith({ train: [batch] })).rejects.toThrow(refusal('TARGET_INVALID', message))
  })

  it('whose tensors were disposed is refused', async () => {
    const [batch] = batches()
    ;(batch.inputs as tf.Tensor).dispose()
    await expect(testModel(new SoftmaxRegression(), [batch])).rejects.toThrow(
      refusal('TARGET_INVALID', /inputs of batch 1 is a disposed tensor/),
    )
  })

  it('with NaN in its inputs is blamed for it, with the place, and not the learning rate', async () => {
    const [first] = batches()
    const spoiled = {
      ...first,
      inputs: tf.tensor2d([
        [1, 2],
        [Number.NaN, 4],
      ]),
      targets: tf.tensor1d([0, 1], 'int32'),
    }
    await expect(fitWith({ train: [first, spoiled] })).rejects.toThrow(
      refusal('NOT_FINITE', /^epoch 1: the inputs of batch 2 hold NaN at \[1,0\]/),
    )
  })
})

describe('accuracy()', () => {
  it.each<[string, number[], tf.Tensor]>([
    ['classes of other samples', [2, 5, 3], tf.zeros([2], 'int32')],
    ['the numbers of a regression', [2, 1], tf.tensor2d([[0.5], [2]])],
  ])('refuses %s, which it cannot count', async (_, shape, targets) => {
    const model = Object.assign(new SoftmaxRegression(), { forward: () => tf.zeros(shape) })
    const options = { loss: () => tf.scalar(1), metrics: { accuracy: accuracy() } }
    await expect(testModel(model, [{ inputs: tf.zeros([2, 2]), targets }], options)).rejects.toThrow(
      refusal('TARGET_INVALID', /accuracy got .*expected/),
    )
  })
})

describe('new Adam()', () => {
  it.each<[string, unknown, RegExp]>([
    ['a model without parameters', { parameters: () => ({}) }, /got an object without a parameter, expected a model/],
    ['nothing', undefined, /got undefined without a parameter/],
    ['no parameters', {}, /without a parameter/],
    ['a tensor that cannot be trained', { weight: 1 }, /the parameter weight is 1/],
  ])('refuses %s', (_, parameters, message) => {
    expect(() => new Adam(parameters as never)).toThrow(refusal('TRAIN_OPTION', message))
  })

  it('refuses a disposed parameter and unknown settings', () => {
    const weight = tf.variable(tf.scalar(1))
    expect(() => new Adam({ weight }, { learningRate: 1 } as object)).toThrow(/no option 'learningRate'/)
    weight.dispose()
    expect(() => new Adam({ weight })).toThrow(/weight is disposed/)
  })
})

describe('options that nobody reads are refused', () => {
  const model = new SoftmaxRegression()
  it.each<[string, () => unknown, RegExp]>([
    ['earlyStopping', () => earlyStopping({ patence: 2 } as EarlyStoppingOptions), /no option 'patence'/],
    ['stepLR', () => stepLR({ stepSize: 1, gama: 2 } as never), /no option 'gama'/],
    [
      'crossEntropy',
      () => crossEntropy(tf.zeros([1, 2]), tf.zeros([1], 'int32'), { weights: [1] } as LossOptions),
      /crossEntropy\(\) has no option 'weights'/,
    ],
  ])('by %s', (_, use, message) => {
    expect(use).toThrow(refusal('TRAIN_OPTION', message))
  })

  it('by trainModel and testModel', async () => {
    const wrong = { verbose: true } as object
    await expect(trainModel(model, adam(model), crossEntropy, batches(), wrong)).rejects.toThrow(/no option 'verbose'/)
    await expect(testModel(model, batches(), wrong)).rejects.toThrow(/no option 'verbose'/)
  })
})

describe('earlyStopping', () => {
  it.each<[object, RegExp]>([
    [{ better: 'smaller' }, /better is "smaller", expected 'lower' or 'higher'/],
    [{ minDelta: -1 }, /minDelta is -1/],
  ])('refuses %j', (options, message) => {
    expect(() => earlyStopping(options as EarlyStoppingOptions)).toThrow(refusal('TRAIN_OPTION', message))
  })
})

describe('crossEntropy', () => {
  it('refuses disposed tensors and arrays by the argument’s name', () => {
    const outputs = tf.zeros([1, 2])
    const targets = tf.zeros([1], 'int32')
    expect(() => crossEntropy(outputs, [0] as unknown as tf.Tensor)).toThrow(/got an array as targets/)
    outputs.dispose()
    expect(() => crossEntropy(outputs, targets)).toThrow(/got outputs that were disposed/)
  })
})
