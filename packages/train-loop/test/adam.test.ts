import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { Adam, type AdamSettings, type OptimizerOptions } from '../src'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const parameter = (...values: number[]) => tf.variable(tf.tensor1d(values))
const gradient = (...values: number[]) => ({ w: tf.tensor1d(values) })

describe('Adam', () => {
  it('takes a first step of lr against the sign of the gradient', () => {
    const w = parameter(1, 1)
    new Adam({ w }, { lr: 0.1 }).step(gradient(5, -0.01))
    tf.test_util.expectArraysClose(w.dataSync(), [0.9, 1.1], 1e-6)
  })

  it('follows algorithm 1 of Kingma and Ba over several steps, with weight decay', () => {
    const options = { lr: 0.05, betas: [0.8, 0.95] as const, eps: 1e-3, weightDecay: 0.1 }
    const w = parameter(0.5)
    const optimizer = new Adam({ w }, options)
    let [theta, m, v] = [0.5, 0, 0]
    ;[0.3, -0.7, 0.2, 1.5].forEach((g, index) => {
      optimizer.step(gradient(g))
      const decayed = g + 0.1 * theta
      m = 0.8 * m + 0.2 * decayed
      v = 0.95 * v + 0.05 * decayed ** 2
      theta -= (0.05 * (m / (1 - 0.8 ** (index + 1)))) / (Math.sqrt(v / (1 - 0.95 ** (index + 1))) + 1e-3)
    })
    expect(w.dataSync()[0]).toBeCloseTo(theta, 6)
  })

  it('leaves a parameter without a gradient alone', () => {
    const [w, other] = [parameter(1), parameter(2)]
    new Adam({ w, other }).step(gradient(1))
    expect(other.dataSync()[0]).toBe(2)
  })

  it('sees weights that were assigned between steps', () => {
    const [w, fresh] = [parameter(1), parameter(7)]
    const optimizer = new Adam({ w }, { lr: 0.1 })
    optimizer.step(gradient(1))
    w.assign(fresh)
    optimizer.step(gradient(1))
    expect(w.dataSync()[0]).toBeCloseTo(6.9, 5)
  })

  it('does not change a copy of the weights that was taken before the step', () => {
    const w = parameter(1)
    const optimizer = new Adam({ w })
    optimizer.step(gradient(1))
    const copy = w.clone()
    const before = copy.dataSync()[0]
    optimizer.step(gradient(1))
    expect(copy.dataSync()[0]).toBe(before)
  })

  it('goes on from its state bit for bit', async () => {
    const gradients = [0.3, -0.2, 0.9, 0.4, -1.1]
    const straight = parameter(0.25)
    const uninterrupted = new Adam({ w: straight })
    for (const g of gradients) uninterrupted.step(gradient(g))

    const first = parameter(0.25)
    const before = new Adam({ w: first })
    for (const g of gradients.slice(0, 2)) before.step(gradient(g))
    const second = tf.variable(first)
    const after = new Adam({ w: second })
    after.loadStateDict(structuredClone(await before.stateDict()))
    for (const g of gradients.slice(2)) after.step(gradient(g))

    expect(second.dataSync()).toEqual(straight.dataSync())
    expect(await after.stateDict()).toEqual(await uninterrupted.stateDict())
  })

  it('makes no tensor that stays', () => {
    const optimizer = new Adam({ w: parameter(1) })
    const grads = gradient(1)
    const before = tf.memory().numTensors
    for (let step = 0; step < 10; step++) optimizer.step(grads)
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe.each(['wasm', 'cpu'])('on the %s backend Adam', (backend) => {
  it('changes the parameter, not what was cloned or reshaped from it before', async () => {
    await tf.setBackend(backend)
    const weight = tf.variable(tf.tensor1d([1, 2]))
    const optimizer = new Adam({ weight }, { lr: 0.1 })
    const step = () => optimizer.step({ weight: tf.tensor1d([1, 1]) })
    step()
    const [clone, view] = [tf.clone(weight), tf.reshape(weight, [2, 1])]
    const before = Array.from(weight.dataSync())
    step()
    expect(Array.from(clone.dataSync())).toEqual(before)
    expect(Array.from(tf.mul(view, 1).dataSync())).toEqual(before)
    expect(Array.from(weight.dataSync())).not.toEqual(before)
  })

  it('goes on from a value that someone else assigned', async () => {
    await tf.setBackend(backend)
    const weight = tf.variable(tf.scalar(1))
    const optimizer = new Adam({ weight }, { lr: 0.1 })
    optimizer.step({ weight: tf.scalar(1) })
    weight.assign(tf.scalar(5))
    optimizer.step({ weight: tf.scalar(1) })
    expect(weight.dataSync()[0]).toBeCloseTo(4.9, 5)
  })
})

describe('Adam refuses', () => {
  it.each<OptimizerOptions<AdamSettings>>([
    { lr: -1 },
    { lr: Number.NaN },
    { eps: -1 },
    { betas: [1, 0.9] },
    { betas: [0.9, -0.1] },
    { weightDecay: -1 },
  ])('%j', (options) => {
    expect(() => new Adam({}, options)).toThrow(expect.objectContaining({ code: 'TRAIN_OPTION' }))
  })

  it('a gradient of an unknown parameter or another shape, before anything changes', () => {
    const w = tf.variable(tf.zeros([2, 3]))
    const optimizer = new Adam({ w })
    const right = { w: tf.ones([2, 3]) }
    expect(() => optimizer.step({ ...right, stray: tf.scalar(1) })).toThrow(
      /gradient of stray belongs to no parameter of this Adam, which has w;/,
    )
    expect(() => optimizer.step({ w: tf.ones([3, 2]) })).toThrow(
      /gradient of w has shape \[3,2\], its parameter \[2,3\]/,
    )
    expect([w.dataSync()[0], optimizer.steps]).toEqual([0, 0])
  })

  it('a step after it, or a parameter, was disposed', () => {
    const refused = (message: RegExp) =>
      expect.objectContaining({ code: 'OPTIMIZER_STATE', message: expect.stringMatching(message) })
    const optimizer = new Adam({ w: parameter(1) })
    optimizer.dispose()
    expect(() => optimizer.step(gradient(1))).toThrow(refused(/this Adam was disposed/))
    const w = parameter(1)
    const other = new Adam({ w })
    w.dispose()
    expect(() => other.step(gradient(1))).toThrow(refused(/w was disposed/))
  })

  it('a state of other parameters, sizes or settings', async () => {
    const state = await new Adam({ w: parameter(1, 2) }).stateDict()
    const refused = expect.objectContaining({ code: 'OPTIMIZER_STATE' })
    expect(() => new Adam({ v: parameter(1, 2) }).loadStateDict(state)).toThrow(refused)
    expect(() => new Adam({ w: parameter(1) }).loadStateDict(state)).toThrow(/has 2 numbers, expected 1/)
    expect(() => new Adam({ w: parameter(1, 2) }, { eps: 1e-7 }).loadStateDict(state)).toThrow(/eps 1e-8.*eps 1e-7/)
    expect(() => new Adam({ w: parameter(1, 2) }).loadStateDict({ ...state, steps: { w: -1 } })).toThrow(refused)
  })
})
