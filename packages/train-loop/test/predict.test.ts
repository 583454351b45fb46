import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { mseLoss, predict, type Trainable, testModel } from '@rowwise/train-loop'
import { beforeAll, describe, expect, it } from 'vitest'
import { SoftmaxRegression } from './softmax-regression'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const model = () => {
  const made = new SoftmaxRegression()
  made.weight.assign(tf.tensor2d([1, -1, 0.5, 0, 2, 1], [2, 3]))
  return made
}
const inputs = () => tf.reshape(tf.range(0, 14), [7, 2]) as tf.Tensor2D

describe('predict', () => {
  it.each([1, 3, 7, 256])('gives the outputs of all samples, %i at a time', async (batchSize) => {
    const net = model()
    const outputs = await predict(net, inputs(), { batchSize })
    expect([outputs.shape, await outputs.array()]).toEqual([[7, 3], net.forward(inputs()).arraySync()])
  })

  it('gives probabilities where it is asked to', async () => {
    const rows = await (await predict(model(), inputs(), { probabilities: true })).array()
    for (const row of rows as number[][]) expect(row[0] + row[1] + row[2]).toBeCloseTo(1, 6)
    const single = Object.assign(model(), { forward: (x: tf.Tensor2D) => tf.slice(x, [0, 0], [-1, 1]) })
    const [first] = await (await predict(single, inputs(), { probabilities: true })).data()
    expect(first).toBe(0.5)
  })

  it('takes outputs [N] and labels that do not exclude each other one by one', async () => {
    const flat = Object.assign(model(), {
      forward: (x: tf.Tensor2D) => tf.reshape(tf.mul(tf.slice(x, [0, 0], [-1, 1]), 0), [-1]),
    })
    const net = flat as unknown as Trainable
    expect([...(await (await predict(net, inputs(), { probabilities: true })).data())]).toEqual(new Array(7).fill(0.5))
    const each = await (await predict(model(), inputs(), { probabilities: 'sigmoid' })).data()
    expect([...each]).toEqual([...tf.sigmoid(model().forward(inputs())).dataSync()])
    await expect(predict(net, inputs(), { probabilities: 'softMax' as 'softmax' })).rejects.toThrow(
      expect.objectContaining({
        code: 'TRAIN_OPTION',
        message: expect.stringMatching(/probabilities is 'softMax'|"softMax"/),
      }),
    )
  })

  it('leaves the inputs and the parameters to their owners, also where a model gives them back', async () => {
    const w = tf.variable(tf.tensor1d([1, 2]))
    const given = inputs()
    const back = (forward: (x: tf.Tensor) => tf.Tensor) => Object.assign(model(), { forward }) as unknown as Trainable
    await predict(
      back((x) => x),
      given,
    )
    await predict(
      back(() => w),
      given,
    )
    const batch = { inputs: given, targets: inputs() }
    await testModel(
      back((x) => x),
      [batch],
      { loss: mseLoss },
    )
    expect([given.isDisposed, w.isDisposed]).toEqual([false, false])
  })

  it('cuts everything that has an entry for each sample', async () => {
    const seen: unknown[] = []
    const net = Object.assign(model(), {
      forward({ x, lengths, scale }: { x: tf.Tensor2D; lengths: Int32Array; scale: tf.Tensor }) {
        seen.push([x.shape[0], [...lengths], scale.shape])
        return tf.mul(x, scale)
      },
    }) as unknown as Trainable
    const parts = { x: inputs(), lengths: Int32Array.of(1, 2, 3, 4, 5, 6, 7), scale: tf.tensor1d([1, 2]) }
    await predict(net, parts, { batchSize: 4 })
    expect(seen).toEqual([
      [4, [1, 2, 3, 4], [2]],
      [3, [5, 6, 7], [2]],
    ])
  })

  it('evaluates meanwhile, leaves one tensor, and the model as it was', async () => {
    const net = model()
    const modes: boolean[] = []
    const forward = net.forward.bind(net)
    net.forward = (x) => {
      modes.push(net.training)
      return forward(x)
    }
    const given = inputs()
    const before = tf.memory().numTensors
    const outputs = await predict(net, given, { batchSize: 5, probabilities: true })
    expect([modes, net.training, tf.memory().numTensors - before]).toEqual([[false, false], true, 1])
    outputs.dispose()
  })

  it('stops at a signal, with its reason', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(predict(model(), inputs(), { signal })).rejects.toThrow('enough')
  })

  it.each<[unknown, object, RegExp]>([
    [[[1, 2]], {}, /inputs are an array, expected a tensor \[N, …\]/],
    [tf.zeros([0, 2]), {}, /of shape \[0,2\]/],
    [tf.zeros([1, 2]), { batchSize: 0 }, /batchSize is 0/],
    [tf.zeros([1, 2]), { softmax: true }, /no option 'softmax'/],
  ])('refuses %s with %j', async (given, options, message) => {
    await expect(predict(model(), given as tf.Tensor, options)).rejects.toThrow(
      expect.objectContaining({ code: 'TRAIN_OPTION', message: expect.stringMatching(message) }),
    )
  })
})
