import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { Adam, AdamW, fit, mseLoss, RMSprop, SGD, stepLR, type Trainable } from '@rowwise/train-loop'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** y = a·x + b, with its parts as layers have them. */
function line() {
  const [a, b] = [tf.variable(tf.scalar(0)), tf.variable(tf.scalar(0))]
  const parameters = () => ({ 'slope.a': a, 'offset.b': b })
  const model: Trainable = {
    forward: (x: tf.Tensor) => tf.add(tf.mul(x, a), b),
    parameters,
    stateDict: parameters,
    loadStateDict() {},
  }
  return { model, a, b, slope: { a }, offset: { parameters: () => ({ b }) } }
}

const gradients = () => ({ 'slope.a': tf.scalar(1), 'offset.b': tf.scalar(1) })
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'TRAIN_OPTION', message: expect.stringMatching(message) })

describe('groups of parameters', () => {
  it('have settings of their own, and those of the rest where they do not', () => {
    const { model, slope, a, b } = line()
    const optimizer = new SGD(model, { lr: 0.5, momentum: 0.9, groups: [{ parameters: slope, lr: 0.1 }] })
    optimizer.step(gradients())
    optimizer.step(gradients())
    tf.test_util.expectArraysClose([a.dataSync()[0], b.dataSync()[0]], [-0.1 * 2.9, -0.5 * 2.9], 1e-6)
    expect(optimizer.groups.map(({ lr, momentum, parameters }) => [lr, momentum, parameters])).toEqual([
      [0.1, 0.9, ['slope.a']],
      [0.5, 0.9, ['offset.b']],
    ])
  })

  it('follow a schedule each from its own learning rate', async () => {
    const { model, offset } = line()
    const optimizer = new Adam(model, { lr: 0.4, groups: [{ parameters: offset, lr: 0.04 }] })
    const train = [{ inputs: tf.tensor1d([1, 2]), targets: tf.tensor1d([3, 5]) }]
    const schedule = stepLR({ stepSize: 1, gamma: 0.5 })
    await fit(model, { optimizer, train, loss: mseLoss, schedule, epochs: 3 })
    expect(optimizer.groups.map(({ lr }) => lr)).toEqual([0.01, 0.1])
  })

  it('are part of the state', async () => {
    const made = (lr: number) => {
      const { model, slope } = line()
      return new RMSprop(model, { momentum: 0.5, groups: [{ parameters: slope, lr }] })
    }
    const [before, after] = [made(0.3), made(0.1)]
    before.step(gradients())
    after.loadStateDict(structuredClone(await before.stateDict()))
    expect(await after.stateDict()).toEqual(await before.stateDict())
    const state = await before.stateDict()
    expect(() => new RMSprop(line().model, { momentum: 0.5 }).loadStateDict(state)).toThrow(
      /has 2 groups, this RMSprop 1/,
    )
    expect(() => new AdamW(line().model).loadStateDict(state)).toThrow(/is one of RMSprop, this is AdamW/)
  })

  it.each<[string, (of: ReturnType<typeof line>) => object, RegExp]>([
    [
      'of a part that is in another',
      ({ slope }) => [{ parameters: slope }, { parameters: slope }],
      /groups\[1\] has a, which is in groups\[0\] already/,
    ],
    ['of another model', () => [{ parameters: line().slope }], /groups\[0\] has no parameter that is trained here/],
    ['without parameters', () => [{ lr: 1 }], /groups\[0\] got undefined without a parameter/],
    ['with an unknown setting', ({ slope }) => [{ parameters: slope, rate: 1 }], /groups\[0\] has no option 'rate'/],
    ['with a setting that cannot be', ({ slope }) => [{ parameters: slope, lr: -1 }], /groups\[0\]: lr is -1/],
    ['that are no list', ({ slope }) => ({ parameters: slope }), /groups is not an array/],
  ])('%s are refused', (_, groups, message) => {
    const made = line()
    expect(() => new SGD(made.model, { groups: groups(made) as [] })).toThrow(refusal(message))
  })

  it('have no common learning rate to set', () => {
    const { model, slope } = line()
    const optimizer = new SGD(model, { groups: [{ parameters: slope }] })
    expect(() => Object.assign(optimizer, { lr: 1 })).toThrow(refusal(/has 2 groups of parameters; set the lr of each/))
  })
})

describe('settings that cannot be', () => {
  const w = () => ({ w: tf.variable(tf.scalar(1)) })
  it.each<[string, () => unknown, RegExp]>([
    ['Nesterov without momentum', () => new SGD(w(), { nesterov: true }), /nesterov is true with momentum 0/],
    ['a negative momentum', () => new SGD(w(), { momentum: -1 }), /momentum is -1/],
    [
      'a text for a number',
      () => new SGD(w(), { lr: '0.1' as unknown as number }),
      /lr is 0.1, expected a finite number/,
    ],
    ['an alpha over 1', () => new RMSprop(w(), { alpha: 1.5 }), /alpha is 1.5/],
    [
      'a number for yes',
      () => new Adam(w(), { amsgrad: 1 as unknown as boolean }),
      /amsgrad is 1, expected true or false/,
    ],
  ])('%s is refused', (_, make, message) => {
    expect(make).toThrow(refusal(message))
  })
})
