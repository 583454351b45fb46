import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import {
  Adam,
  accuracy,
  type Callbacks,
  clipGradientNorm,
  confusion,
  cosineAnnealingLR,
  crossEntropy,
  type EpochEnd,
  earlyStopping,
  fit,
  gradientNorm,
  type LossFunction,
  type Monitors,
  oneCycleLR,
  reduceLROnPlateau,
  stepLR,
  testModel,
  trainModel,
  valueAndGradients,
} from '@rowwise/train-loop'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { batches, SoftmaxRegression } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const setUp = (lr = 0.1) => {
  const model = new SoftmaxRegression()
  return { model, optimizer: new Adam(model.parameters(), { lr }) }
}

describe('valueAndGradients', () => {
  it('gives the loss and the gradient of every parameter by its name', () => {
    const [batch] = batches()
    const { loss, gradients } = valueAndGradients(new SoftmaxRegression(), crossEntropy, batch)
    expect(loss.dataSync()[0]).toBeCloseTo(Math.log(3), 6)
    const third = 1 / 6
    tf.test_util.expectArraysClose(
      gradients.weight.dataSync(),
      [-2 * third, third, third, third, -2 * third, third],
      1e-6,
    )
  })

  describe('of a model that has a pullback', () => {
    const expected = () => {
      const { loss, gradients } = valueAndGradients(new SoftmaxRegression(), crossEntropy, batches()[0])
      return [loss.dataSync()[0], ...gradients.weight.dataSync()]
    }

    /** Softmax regression whose gradient is written out: xᵀ·upstream. */
    class Knowing extends SoftmaxRegression {
      readonly release = vi.fn()
      override readonly forward = vi.fn((inputs: tf.Tensor2D) => super.forward(inputs))

      vjp(inputs: tf.Tensor2D) {
        const pullback = (gradient: tf.Tensor) => ({
          parameters: { weight: tf.matMul(inputs, gradient as tf.Tensor2D, true) },
        })
        return { value: super.forward(inputs), pullback, release: this.release }
      }
    }

    const scaled = (outputs: tf.Tensor, targets: tf.Tensor) => tf.mul(crossEntropy(outputs, targets), 1)

    it.each<[string, LossFunction]>([
      ['crossEntropy', crossEntropy],
      ['a wrapped one', (outputs, targets) => crossEntropy(outputs, targets)],
      ['one of TensorFlow.js’s operations', scaled],
    ])('takes that with %s, and gives the pass back', (_, lossFunction) => {
      const model = new Knowing()
      const { loss, gradients } = valueAndGradients(model, lossFunction, batches()[0])
      const found = [loss.dataSync()[0], ...gradients.weight.dataSync()]
      tf.test_util.expectArraysClose(found, expected(), 1e-6)
      expect([model.forward, model.release].map(({ mock }) => mock.calls.length)).toEqual([0, 1])
    })

    it('gives the pass back when a target is no class', () => {
      const model = new Knowing()
      const targets = tf.tensor1d([0, 3], 'int32')
      expect(() => valueAndGradients(model, crossEntropy, { ...batches()[0], targets })).toThrow(/target 1 is 3/)
      expect(model.release).toHaveBeenCalledOnce()
    })

    it('adds what a loss reads of the parameters by itself, such as a penalty on weights', () => {
      const [model, taped] = [new Knowing(), new SoftmaxRegression()]
      const penalised =
        (of: SoftmaxRegression): LossFunction =>
        (outputs, targets) =>
          tf.add(crossEntropy(outputs, targets), tf.sum(tf.square(tf.add(of.parameters().weight, 1))))
      const [found, expected] = [model, taped].map((of) => {
        const { loss, gradients } = valueAndGradients(of, penalised(of), batches()[0])
        return [...loss.dataSync(), ...gradients.weight.dataSync()]
      })
      tf.test_util.expectArraysClose(found, expected, 1e-5)
    })

    it('gives a loss that lives on, where the model puts out its own', () => {
      class OwnLoss extends Knowing {
        override vjp(inputs: tf.Tensor2D) {
          const value = tf.mean(this.forward(inputs))
          const pullback = () => ({ parameters: { weight: tf.zeros([2, 3]) } })
          return { value, pullback, release: vi.fn(() => value.dispose()) } as never
        }
      }
      const { loss } = valueAndGradients(new OwnLoss(), (outputs) => outputs, batches()[0])
      expect(Number.isFinite(loss.dataSync()[0])).toBe(true)
    })

    it('refuses a model whose parameters are all frozen, with any loss', () => {
      const model = new Knowing()
      model.vjp = (inputs) => {
        const value = tf.zeros([inputs.shape[0], 3])
        return { value, pullback: () => ({ parameters: {} }), release: model.release } as never
      }
      model.parameters().weight.trainable = false
      for (const loss of [crossEntropy, (outputs: tf.Tensor, targets: tf.Tensor) => crossEntropy(outputs, targets)]) {
        expect(() => valueAndGradients(model, loss, batches()[0])).toThrow(/all are frozen/)
      }
    })

    it('refuses a loss that is not one number', () => {
      const losses: LossFunction = (outputs, targets) => crossEntropy(outputs, targets, { reduction: 'none' })
      for (const model of [new Knowing(), new SoftmaxRegression()]) {
        expect(() => valueAndGradients(model, losses, batches()[0])).toThrow(
          /loss is a tensor of shape \[2\], expected one number/,
        )
      }
    })
  })
})

describe('trainModel', () => {
  it('takes one step per batch and reports the mean loss over the samples', async () => {
    const { model, optimizer } = setUp()
    const losses: number[] = []
    const result = await trainModel(model, optimizer, crossEntropy, batches(), {
      onBatchEnd: async ({ loss }) => void losses.push(await loss()),
    })
    const lossSum = 2 * (losses[0] + losses[1])
    expect(result).toEqual({
      ...{ loss: lossSum / 4, lossSum, batches: 2, samples: 4, aborted: false },
      dataSeconds: expect.any(Number),
    })
    expect([losses[0] > losses[1], optimizer.steps]).toEqual([true, 2])
  })

  it('says how long it waited for batches', async () => {
    const { model, optimizer } = setUp()
    async function* slow() {
      for (const batch of batches()) {
        await new Promise((resolve) => setTimeout(resolve, 30))
        yield batch
      }
    }
    const { dataSeconds } = await trainModel(model, optimizer, crossEntropy, slow())
    expect(dataSeconds).toBeGreaterThan(0.05)
  })

  it('weighs a short batch by its samples', async () => {
    const { model, optimizer } = setUp(0)
    const uneven = [batches()[0], { inputs: tf.tensor2d([[0, 0]]), targets: tf.tensor1d([0], 'int32') }]
    expect((await trainModel(model, optimizer, crossEntropy, uneven)).loss).toBeCloseTo(Math.log(3), 6)
  })

  it('takes any async iterable', async () => {
    const { model, optimizer } = setUp()
    async function* source() {
      yield* batches()
    }
    expect((await trainModel(model, optimizer, crossEntropy, source())).batches).toBe(2)
  })

  it('stops after the step in which it was told to', async () => {
    const { model, optimizer } = setUp()
    const controller = new AbortController()
    const result = await trainModel(model, optimizer, crossEntropy, batches(), {
      signal: controller.signal,
      onBatchEnd: () => controller.abort(),
    })
    expect(result).toMatchObject({ batches: 1, aborted: true })
  })

  it('leaves no tensor behind, also when the callback throws', async () => {
    const { model, optimizer } = setUp()
    const data = batches()
    const before = tf.memory().numTensors
    await trainModel(model, optimizer, crossEntropy, data, { maxGradientNorm: 0.1 })
    await testModel(model, data)
    const failing = trainModel(model, optimizer, crossEntropy, data, {
      onBatchEnd() {
        throw new Error('from the callback')
      },
    })
    await expect(failing).rejects.toThrow('from the callback')
    const unlimited = trainModel(model, optimizer, crossEntropy, data, { maxGradientNorm: 0 })
    await expect(unlimited).rejects.toThrow(/maxNorm is 0/)
    expect(tf.memory().numTensors).toBe(before)
  })

  it('tells of the gradients of each step, before they are clipped, and frees them whatever happens', async () => {
    const { model, optimizer } = setUp()
    const data = batches()
    const before = tf.memory().numTensors
    const norms: number[] = []
    await trainModel(model, optimizer, crossEntropy, data, {
      maxGradientNorm: 1e-3,
      onGradients: async ({ gradients }) => void norms.push(await gradientNorm(gradients)),
    })
    expect(norms.every((norm) => norm > 0.1)).toBe(true)
    expect(norms).toHaveLength(2)
    const failing = trainModel(model, optimizer, crossEntropy, data, {
      onGradients() {
        throw new Error('from the callback')
      },
    })
    await expect(failing).rejects.toThrow('from the callback')
    expect(tf.memory().numTensors).toBe(before)
  })

  it('leaves the caller’s batches to the caller', async () => {
    const { model, optimizer } = setUp()
    const data = batches()
    await trainModel(model, optimizer, crossEntropy, data)
    expect(data[0].inputs.isDisposed).toBe(false)
  })
})

describe('testModel', () => {
  it('counts what is right and what was taken for what', async () => {
    const { model } = setUp()
    model.weight.assign(
      tf.tensor2d([
        [1, 0, 0],
        [0, 1, 0],
      ]),
    )
    const { loss, samples, metrics } = await testModel(model, batches(), {
      metrics: { accuracy: accuracy(), confusion: confusion() },
    })
    expect({ samples, ...metrics }).toEqual({
      samples: 4,
      accuracy: 1,
      confusion: [
        [2, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    })
    expect(loss).toBeGreaterThan(0)
  })

  it('takes the first of equal outputs, as torch.argmax does', async () => {
    const { metrics } = await testModel(new SoftmaxRegression(), batches(), { metrics: { confusion: confusion() } })
    expect(metrics.confusion).toEqual([
      [2, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ])
  })

  it('puts the model into evaluation meanwhile and back afterwards', async () => {
    const { model } = setUp()
    const modes: boolean[] = []
    const forward = model.forward.bind(model)
    model.forward = (inputs) => {
      modes.push(model.training)
      return forward(inputs)
    }
    await testModel(model, batches())
    expect([modes, model.training]).toEqual([[false, false], true])
  })
})

describe('clipGradientNorm', () => {
  it('scales the common norm down to the limit', async () => {
    const { gradients, norm } = await clipGradientNorm({ a: tf.tensor1d([3]), b: tf.tensor1d([4]) }, 1)
    expect(norm).toBe(5)
    tf.test_util.expectArraysClose([...gradients.a.dataSync(), ...gradients.b.dataSync()], [0.6, 0.8], 1e-5)
  })

  it('leaves smaller gradients as they are', async () => {
    const raw = { a: tf.tensor1d([3]) }
    expect((await clipGradientNorm(raw, 5)).gradients).toBe(raw)
  })

  it.each([0, -1, Number.NaN])('refuses the limit %s', async (limit) => {
    await expect(clipGradientNorm({}, limit)).rejects.toThrow(expect.objectContaining({ code: 'TRAIN_OPTION' }))
  })
})

describe('fit', () => {
  it('trains and evaluates every epoch and tells the callbacks in order', async () => {
    const { model, optimizer } = setUp()
    const told: string[] = []
    const callbacks: Callbacks = {
      onFitBegin: ({ epochs }) => void told.push(`fit ${epochs}`),
      onEpochBegin: ({ epoch }) => void told.push(`epoch ${epoch}`),
      onBatchBegin: ({ epoch, batch }) => void told.push(`step ${epoch}.${batch}`),
      onBatchEnd: ({ epoch, batch }) => void told.push(`batch ${epoch}.${batch}`),
      onEpochEnd: ({ epoch, validation }) => void told.push(`end ${epoch}: ${validation?.samples}`),
      onFitEnd: ({ history }) => void told.push(`fit end ${history.length}`),
    }
    const data = batches()
    const { history, ended, test } = await fit(model, {
      optimizer,
      train: data,
      validation: data,
      test: data,
      metrics: { accuracy: accuracy() },
      epochs: 2,
      callbacks: [callbacks],
    })
    expect(told).toEqual([
      ...['fit 2', 'epoch 1', 'step 1.1', 'batch 1.1', 'step 1.2', 'batch 1.2', 'end 1: 4'],
      ...['epoch 2', 'step 2.1', 'batch 2.1', 'step 2.2', 'batch 2.2', 'end 2: 4', 'fit end 2'],
    ])
    expect([ended, history[1].trainLoss < history[0].trainLoss]).toEqual(['completed', true])
    expect(test).toEqual(history[1].validation) // the same data and the same weights
  })

  it('sets the learning rate of every epoch by the schedule', async () => {
    const { model, optimizer } = setUp(1)
    const schedule = stepLR({ stepSize: 2, gamma: 0.5 })
    const { history } = await fit(model, { optimizer, train: batches(), epochs: 5, schedule })
    expect(history.map(({ lr }) => lr)).toEqual([1, 1, 0.5, 0.5, 0.25])
  })

  it('ends early when a callback says so', async () => {
    const { model, optimizer } = setUp()
    const callbacks = [{ onEpochEnd: (_: EpochEnd, control: { stop(): void }) => control.stop() }]
    const { history, ended } = await fit(model, { optimizer, train: batches(), epochs: 9, callbacks })
    expect([history.length, ended]).toEqual([1, 'stopped'])
  })

  it('ends without an entry for the epoch that a signal cut', async () => {
    const { model, optimizer } = setUp()
    const controller = new AbortController()
    const callbacks = [{ onBatchEnd: ({ epoch }: { epoch: number }) => void (epoch === 2 && controller.abort()) }]
    const { history, ended } = await fit(model, {
      optimizer,
      train: batches(),
      epochs: 9,
      callbacks,
      signal: controller.signal,
    })
    expect([history.length, ended, optimizer.steps]).toEqual([1, 'aborted', 3])
  })

  it('keeps the number of tensors flat over epochs, evaluation, saves and an exception in a callback', async () => {
    const { model, optimizer } = setUp()
    const data = batches()
    const counts: number[] = []
    const callbacks = [{ onEpochEnd: () => void counts.push(tf.memory().numTensors) }]
    const checkpoint = { directory: mkdtempSync(join(tmpdir(), 'rowwise-loop-')), everySteps: 1 }
    await fit(model, { optimizer, train: data, validation: data, epochs: 3, callbacks, checkpoint })
    const failing = fit(model, {
      optimizer,
      train: data,
      callbacks: [
        {
          onBatchEnd() {
            throw new Error('from the callback')
          },
        },
      ],
    })
    await expect(failing).rejects.toThrow('from the callback')
    expect([...counts, tf.memory().numTensors]).toEqual(Array(4).fill(counts[0]))
  })

  it.each([0, 1.5, Number.NaN])('refuses %s epochs', async (epochs) => {
    const { model, optimizer } = setUp()
    await expect(fit(model, { optimizer, train: [], epochs })).rejects.toThrow(/epochs is/)
  })
})

describe('earlyStopping', () => {
  const monitors = { trainLoss: 'lower', validationLoss: 'lower', accuracy: 'higher', odd: undefined } as const
  const epochEnd = (loss: number): EpochEnd => ({
    ...{ epoch: 1, epochs: 9, lr: 1, samples: 4, seconds: 1, dataSeconds: 0, trainLoss: loss },
    validation: { loss, samples: 4, metrics: { accuracy: -loss, odd: loss, matrix: [[1]] } },
  })
  const begin = (options: object, of: object = monitors) => {
    const callback = earlyStopping(options)
    callback.onFitBegin?.({ epochs: 9, history: [], monitors: of as Monitors }, { stop() {} })
    return callback
  }
  const epochsUntilStop = (options: object, losses: number[]) => {
    const callback = begin(options)
    const stop = vi.fn()
    return losses.findIndex((loss) => {
      callback.onEpochEnd?.(epochEnd(loss), { stop })
      return stop.mock.calls.length > 0
    })
  }

  it('waits for as many epochs without improvement as it has patience', () => {
    expect(epochsUntilStop({ patience: 2 }, [3, 2, 2.5, 2.4, 1])).toBe(3)
  })

  it('starts to count again after an improvement', () => {
    expect(epochsUntilStop({ patience: 2 }, [3, 3.1, 2, 2.1, 2.2])).toBe(4)
  })

  it('takes no smaller change than minDelta for an improvement', () => {
    expect(epochsUntilStop({ patience: 1, minDelta: 0.5 }, [3, 2.8])).toBe(1)
  })

  it('takes small steps for an improvement once they add up to more than minDelta', () => {
    expect(epochsUntilStop({ patience: 2, minDelta: 0.5 }, [3, 2.7, 2.4, 2.1, 1.8])).toBe(-1)
  })

  it.each<[object]>([[{ monitor: 'accuracy' }], [{ monitor: 'odd', better: 'lower' }], [{ monitor: 'trainLoss' }]])(
    'follows what it is told to, in the direction that is better: %j',
    (options) => {
      expect(epochsUntilStop({ ...options, patience: 1 }, [3, 2, 2.5])).toBe(2)
    },
  )

  it.each<[object, object, RegExp]>([
    [
      { monitor: 'f1' },
      monitors,
      /monitor is 'f1', but there is trainLoss, validationLoss, accuracy, odd; add it to metrics/,
    ],
    [{ monitor: 'accuracy' }, { trainLoss: 'lower' }, /there is trainLoss; pass validation, and the metric in metrics/],
    [{ monitor: 'odd' }, monitors, /odd does not say which is better; pass better/],
  ])('refuses %j before the first step, with %j', (options, of, message) => {
    expect(() => begin(options, of)).toThrow(
      expect.objectContaining({ code: 'TRAIN_OPTION', message: expect.stringMatching(message) }),
    )
  })

  it('refuses a patience of 0', () => {
    expect(() => earlyStopping({ patience: 0 })).toThrow(expect.objectContaining({ code: 'TRAIN_OPTION' }))
  })
})

describe('oneCycleLR', () => {
  it('begins at the top where it rises for one step', () => {
    const schedule = oneCycleLR({ maxLr: 0.1, totalSteps: 10, pctStart: 0.1 })
    expect([schedule(0, 1), schedule(9, 1) < 1e-6]).toEqual([0.1, true])
  })
})

describe('reduceLROnPlateau', () => {
  it.each([Number.POSITIVE_INFINITY, Number.NaN])('takes %d at first for no improvement, as PyTorch', (first) => {
    const plateau = reduceLROnPlateau({ patience: 2 })
    const rates = [first, 5, 4, 3, 2, 1, 0.5, 0.4].map((value) => plateau.observe(value, 'lower')(0.1))
    expect(rates).toEqual(new Array(8).fill(0.1))
  })
})

describe('cosineAnnealingLR', () => {
  it('falls from the initial rate over half of it to etaMin', () => {
    const schedule = cosineAnnealingLR({ tMax: 10, etaMin: 0.2 })
    expect(schedule(0, 1)).toBe(1)
    expect(schedule(5, 1)).toBeCloseTo(0.6, 12)
    expect(schedule(10, 1)).toBeCloseTo(0.2, 12)
  })
})
