import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { Adam, mseLoss, predict, SGD, type Trainable, testModel, trainModel } from '../src'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** y = w·x, `[N, 1]`. */
class Scale implements Pick<Trainable, 'parameters'> {
  training = true
  readonly w = tf.variable(tf.scalar(1))
  parameters = () => ({ w: this.w })
}

/** Two factors in turn, as a module of @rowwise/models-rnn shows its parts. */
class Pair implements Trainable {
  training = true
  readonly a = new Scale()
  readonly b = new Scale()
  readonly modes: boolean[][] = []
  namedChildren = () => [['a', this.a] as const, ['b', this.b] as const]
  parameters = () => ({ 'a.w': this.a.w, 'b.w': this.b.w })
  stateDict = () => this.parameters()
  loadStateDict() {}
  train(mode: boolean) {
    for (const part of [this, this.a, this.b]) part.training = mode
  }
  forward(x: tf.Tensor) {
    this.modes.push([this.training, this.a.training, this.b.training])
    return tf.mul(x, tf.mul(this.a.w, this.b.w))
  }
}

const batch = (...xs: number[]) => ({ inputs: tf.tensor2d(xs, [xs.length, 1]), targets: tf.zeros([xs.length, 1]) })
const weights = (model: Pair) => Object.values(model.parameters()).map((w) => w.dataSync()[0])

describe('an optimizer of a part of the model', () => {
  it('trains that part, and leaves the rest as it is', async () => {
    const model = new Pair()
    const before = tf.memory().numTensors
    const data = [batch(1)]
    // d(w²)/db = 2·a·w with w = a·b = 1
    await trainModel(model, new SGD(model.b, { lr: 0.1 }), mseLoss, data)
    expect(weights(model)).toEqual([1, expect.closeTo(0.8, 6)])
    tf.dispose(Object.values(data[0]))
    expect(tf.memory().numTensors).toBe(before)
  })

  it('trains some parameters under their names in the model', async () => {
    const model = new Pair()
    await trainModel(model, new SGD({ 'a.w': model.a.w }, { lr: 0.1 }), mseLoss, [batch(1)])
    expect(weights(model)).toEqual([expect.closeTo(0.8, 6), 1])
  })

  it('may train other tensors, too, but one of the model at least', async () => {
    const [model, other] = [new Pair(), tf.variable(tf.scalar(1))]
    await trainModel(model, new SGD({ ...model.parameters(), other }, { lr: 0.1 }), mseLoss, [batch(1)])
    expect([...weights(model), other.dataSync()[0]]).toEqual([expect.closeTo(0.8, 6), expect.closeTo(0.8, 6), 1])
    await expect(trainModel(model, new SGD({ other }, { lr: 0.1 }), mseLoss, [batch(1)])).rejects.toThrow(
      expect.objectContaining({ code: 'TRAIN_OPTION' }),
    )
  })

  it('takes a gradient that is also that of another parameter', async () => {
    const model = new Pair()
    const add = tf.customGrad((...given) => {
      const [a, b] = given as tf.Tensor[]
      return { value: tf.add(a, b), gradFunc: (dy: tf.Tensor) => [dy, dy] }
    })
    model.forward = (x) => tf.mul(x, add(model.a.w, model.b.w))
    await trainModel(model, new SGD(model.b, { lr: 0.1 }), mseLoss, [batch(1)])
    expect(weights(model)).toEqual([1, expect.closeTo(0.6, 6)])
  })

  it('is refused when it was made before what it should train was freed', async () => {
    const model = new Pair()
    model.a.w.trainable = false
    const optimizer = new Adam(model)
    model.a.w.trainable = true
    await expect(trainModel(model, optimizer, mseLoss, [batch(1)])).rejects.toThrow(
      expect.objectContaining({ code: 'TRAIN_OPTION', message: expect.stringMatching(/a\.w was frozen when/) }),
    )
  })
})

describe('the modes of the parts', () => {
  it.each<[string, (model: Pair) => Promise<unknown>]>([
    ['predict', async (model) => (await predict(model, tf.ones([2, 1]))).dispose()],
    ['testModel', (model) => testModel(model, [batch(1)], { loss: mseLoss })],
  ])('are what they were after %s', async (_, use) => {
    const model = new Pair()
    model.a.training = false
    await use(model)
    expect(model.modes).toEqual([[false, false, false]])
    expect([model.training, model.a.training, model.b.training]).toEqual([true, false, true])
  })

  it('stay while a model in training is trained; one in evaluation is switched as a whole', async () => {
    const model = new Pair()
    model.a.training = false
    await trainModel(model, new Adam(model), mseLoss, [batch(1)])
    model.train(false)
    await trainModel(model, new Adam(model), mseLoss, [batch(1)])
    expect(model.modes).toEqual([
      [true, false, true],
      [true, true, true],
    ])
  })
})

describe('a model that keeps a part in evaluation', () => {
  class Frozen extends Pair {
    override train(mode: boolean) {
      super.train(mode)
      this.a.training = false
    }
  }

  it('by its train() is trained so, also after evaluations', async () => {
    const model = new Frozen()
    await trainModel(model, new Adam(model), mseLoss, [batch(1)])
    await testModel(model, [batch(1)], { loss: mseLoss })
    await trainModel(model, new Adam(model), mseLoss, [batch(1)])
    expect(model.modes.map(([, a]) => a)).toEqual([false, false, false])
  })

  it('may have a mode that is only read', async () => {
    class Wrapped extends Pair {
      readonly inner = new Pair()
    }
    const model = new Wrapped()
    Object.defineProperty(model, 'training', { get: () => model.inner.training })
    model.train = (mode) => model.inner.train(mode)
    await testModel(model, [batch(1)], { loss: mseLoss })
    expect([model.modes, model.training]).toEqual([[[false, true, true]], true])
  })
})

describe('a loss that is the sum over a batch', () => {
  it('counts once for the mean over all samples', async () => {
    const loss = mseLoss.with({ reduction: 'sum' })
    const data = [batch(1, 2, 3, 4), batch(5, 6)] // squares: 91 of 6 samples
    expect((await testModel(new Pair(), data, { loss })).loss).toBeCloseTo(91 / 6, 5)
    const model = new Pair()
    expect(await trainModel(model, new SGD(model, { lr: 0 }), loss, data)).toMatchObject({
      lossSum: expect.closeTo(91, 4),
      loss: expect.closeTo(91 / 6, 5),
    })
  })
})
