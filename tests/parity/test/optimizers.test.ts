import { readFileSync } from 'node:fs'
import {
  Adam,
  AdamW,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  exponentialLR,
  linearLR,
  multiStepLR,
  oneCycleLR,
  polynomialLR,
  RMSprop,
  reduceLROnPlateau,
  type Schedule,
  SGD,
  stepLR,
} from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeDeviceBackend } from './device-backend'

interface Vectors {
  start: number[][]
  gradients: number[][][]
  optimizers: { name: string; options: Record<string, unknown>; after: number[][][] }[]
  schedules: {
    name: string
    options: Record<string, unknown>
    initial: number
    metrics?: number[]
    lrs: number[]
  }[]
}

const { start, gradients, optimizers, schedules } = JSON.parse(
  readFileSync(new URL('../vectors/optimizers.json', import.meta.url), 'utf8'),
) as Vectors

const OPTIMIZERS = { SGD, Adam, AdamW, RMSprop } as unknown as Record<string, typeof SGD>

const SCHEDULES = {
  StepLR: stepLR,
  MultiStepLR: multiStepLR,
  ExponentialLR: exponentialLR,
  LinearLR: linearLR,
  PolynomialLR: polynomialLR,
  CosineAnnealingLR: cosineAnnealingLR,
  CosineAnnealingWarmRestarts: cosineAnnealingWarmRestarts,
  OneCycleLR: oneCycleLR,
} as unknown as Record<string, (options: object) => Schedule>

/** PyTorch's option names as ours: weight_decay, weightDecay; T_max, tMax. */
const camelCase = (options: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/^T/, 't').replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
      value,
    ]),
  )

describe.each(['cpu', 'wasm', 'device'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    makeDeviceBackend()
    await tf.setBackend(backend)
  })

  it.each(
    optimizers.map(({ name, options, after }) => [`${name} ${JSON.stringify(options)}`, name, options, after] as const),
  )('%s takes PyTorch’s steps within 1e-6', async (_, name, options, after) => {
    const Optimizer = OPTIMIZERS[name]
    const weight = tf.variable(tf.tensor2d(start))
    const optimizer = new Optimizer({ weight }, camelCase(options))
    let worst = 0
    for (const [step, gradient] of gradients.entries()) {
      optimizer.step({ weight: tf.tensor2d(gradient) })
      const [found, expected] = [await weight.data(), after[step].flat()]
      expected.forEach((value, at) => {
        worst = Math.max(worst, Math.abs(found[at] - value))
      })
    }
    expect(worst).toBeLessThan(1e-6)
  })
})

it.each(
  optimizers
    .filter(({ name }) => name === 'SGD')
    .map(({ options, after }) => [JSON.stringify(options), options, after] as const),
)('SGD %s has PyTorch’s bits', async (_, options, after) => {
  await tf.setBackend('cpu')
  const weight = tf.variable(tf.tensor2d(start))
  const optimizer = new SGD({ weight }, camelCase(options))
  for (const [step, gradient] of gradients.entries()) {
    optimizer.step({ weight: tf.tensor2d(gradient) })
    expect([...weight.dataSync()]).toEqual(after[step].flat())
  }
})

describe('learning rates over twenty epochs are PyTorch’s', () => {
  const ofTime = schedules.filter(({ metrics }) => metrics === undefined)
  it.each(ofTime.map((item) => [item.name, item] as const))('%s', (name, { options, initial, lrs }) => {
    const schedule = SCHEDULES[name](camelCase(options))
    const found = lrs.map((_, epoch) => schedule(epoch, initial))
    expect(Math.max(...found.map((lr, epoch) => Math.abs(lr - lrs[epoch])))).toBeLessThan(1e-6 * initial)
    expect(found).toHaveLength(20)
  })

  it('ReduceLROnPlateau', () => {
    const {
      options,
      initial,
      metrics = [],
      lrs,
    } = schedules.find(({ name }) => name === 'ReduceLROnPlateau') as Vectors['schedules'][number]
    const schedule = reduceLROnPlateau(camelCase(options))
    let lr = initial
    const found = metrics.map((metric) => {
      const before = lr
      lr = schedule.observe(metric, 'lower')(lr)
      return before
    })
    expect(found).toEqual(lrs)
  })
})
