import { readFileSync } from 'node:fs'
import {
  bceWithLogits,
  crossEntropy,
  huberLoss,
  type Loss,
  type LossOptions,
  l1Loss,
  mseLoss,
  nllLoss,
  type Reduction,
  smoothL1Loss,
} from '@rowwise/train-loop'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeDeviceBackend } from './device-backend'

/** A loss as PyTorch computed it. */
interface Case {
  name: string
  options: Record<string, number | number[]>
  inputs: number[][]
  targets: number[]
  values: Record<Reduction, number | number[]>
  gradient_of_mean: number[][]
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/losses.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}

const LOSSES: Record<string, Loss<LossOptions>> = {
  cross_entropy: crossEntropy,
  cross_entropy_steps: crossEntropy,
  nll_loss: nllLoss,
  mse_loss: mseLoss,
  l1_loss: l1Loss,
  smooth_l1_loss: smoothL1Loss,
  huber_loss: huberLoss,
  binary_cross_entropy_with_logits: bceWithLogits,
}

/** PyTorch's name of an option as ours: label_smoothing, labelSmoothing. */
const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())

const close = (found: ArrayLike<number>, expected: unknown) => {
  const numbers = [expected].flat(9) as number[]
  expect(found).toHaveLength(numbers.length)
  const worst = numbers.reduce(
    (most, value, at) => Math.max(most, Math.abs(found[at] - value) / Math.max(1, Math.abs(value))),
    0,
  )
  expect(worst).toBeLessThan(1e-6)
}

describe.each(['cpu', 'wasm', 'device'])(
  'the losses on the %s backend have PyTorch’s numbers within 1e-6',
  (backend) => {
    beforeAll(async () => {
      makeDeviceBackend()
      await tf.setBackend(backend)
    })

    describe.each(cases.map((item) => [`${item.name} ${JSON.stringify(item.options)}`, item] as const))(
      '%s',
      (_, item) => {
        const { name, values, gradient_of_mean } = item
        const loss = LOSSES[name]
        const options = Object.fromEntries(Object.entries(item.options).map(([key, value]) => [camelCase(key), value]))
        const isOfClasses = loss === crossEntropy || loss === nllLoss
        const inputs = () => tf.tensor(item.inputs)
        const targets = () => tf.tensor(item.targets, undefined, isOfClasses ? 'int32' : 'float32')

        it.each(['none', 'mean', 'sum'] as const)('with reduction %s', async (reduction) => {
          close(await loss(inputs(), targets(), { ...options, reduction }).data(), values[reduction])
        })

        it('and its gradient, on the tape and by its pullback', async () => {
          const bound = loss.with(options)
          const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => bound(x, targets()))(inputs())
          close(await value.data(), values.mean)
          close(await grad.data(), gradient_of_mean)
          const pass = bound.vjp?.(inputs(), targets())
          expect(pass === undefined).toBe(backend === 'device')
          if (pass === undefined) return
          close(await pass.value.data(), values.mean)
          close(await pass.pullback().data(), gradient_of_mean)
        })

        it('and with reduction none each loss passes its own gradient on', async () => {
          const single = (x: tf.Tensor) => loss(x, targets(), { ...options, reduction: 'none' })
          const summed = (x: tf.Tensor) => loss(x, targets(), { ...options, reduction: 'sum' })
          close(
            await tf
              .grad((x: tf.Tensor) => tf.sum(single(x)))(inputs())
              .data(),
            [...(await tf.grad(summed)(inputs()).data())],
          )
        })
      },
    )
  },
)
