import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import {
  accuracy,
  clipGradientNorm,
  confusion,
  crossEntropy,
  gradientNorm,
  type LossFunction,
  testModel,
  trainModel,
  valueAndGradients,
} from '@rowwise/train-loop'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { setUp } from './set-up'
import { batches, SoftmaxRegression } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

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

  it('takes a function that computes a loss of whatever it wants, of what has parameters', () => {
    const [a, b] = [new SoftmaxRegression(), new SoftmaxRegression()]
    const [{ inputs, targets }] = batches()
    const expected = valueAndGradients(a, crossEntropy, { inputs, targets }).gradients.weight.dataSync()
    const before = tf.memory().numTensors
    const both = { parameters: () => ({ a: a.weight, b: b.weight }) }
    const { loss, gradients } = valueAndGradients(both, () => {
      const [first, second] = [a, b].map((model) => crossEntropy(model.forward(inputs as tf.Tensor2D), targets))
      return tf.add(first, tf.mul(second, 2))
    })
    expect(loss.dataSync()[0]).toBeCloseTo(3 * Math.log(3), 5)
    tf.test_util.expectArraysClose(gradients.a.dataSync(), expected, 1e-6)
    tf.test_util.expectArraysClose(
      gradients.b.dataSync(),
      expected.map((value) => 2 * value),
      1e-6,
    )
    tf.dispose([loss, { ...gradients }])
    expect(tf.memory().numTensors).toBe(before)
    expect(() => valueAndGradients(a, () => tf.ones([2]))).toThrow(expect.objectContaining({ code: 'TRAIN_OPTION' }))
    expect(() => valueAndGradients(a, () => tf.scalar(1))).toThrow(/depends on no parameter/)
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
