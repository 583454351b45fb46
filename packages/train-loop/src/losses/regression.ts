import { abs, add, mul, relu, sign, square, sub, type Tensor } from '@tensorflow/tfjs-core'
import { TrainOptionError } from '../errors'
import type { Loss, LossOptions } from './define-loss'
import { defineElementwiseLoss } from './elementwise'

/** The smaller one; not `minimum`, whose gradient has none. */
const upTo = (d: Tensor, limit: number): Tensor => sub(d, relu(sub(d, limit)))

const NO_SETTINGS = { options: {}, settings: (): null => null }

/**
 * The squared error (x − y)², averaged over all elements, after `torch.nn.functional.mse_loss`. Differentiable.
 *
 * Outputs and targets are float32 of one shape.
 *
 * @throws {@link TargetError} when shapes or dtypes differ; {@link TrainOptionError} for an unknown option.
 * @example
 * ```ts
 * await fit(model, { optimizer, train, loss: mseLoss })
 * ```
 */
export const mseLoss: Loss<LossOptions> = /* @__PURE__ */ defineElementwiseLoss<LossOptions, null>('mseLoss', {
  ...NO_SETTINGS,
  graph: (x, y) => square(sub(x, y)),
  loss: (x, y) => (x - y) ** 2,
  slope: (x, y) => 2 * (x - y),
})

/**
 * The absolute error |x − y|, averaged over all elements, after `torch.nn.functional.l1_loss`. Differentiable; the slope at 0 is 0.
 *
 * Outputs and targets are float32 of one shape.
 *
 * @throws {@link TargetError} when shapes or dtypes differ; {@link TrainOptionError} for an unknown option.
 * @example
 * ```ts
 * const loss = l1Loss(outputs, targets)
 * ```
 */
export const l1Loss: Loss<LossOptions> = /* @__PURE__ */ defineElementwiseLoss<LossOptions, null>('l1Loss', {
  ...NO_SETTINGS,
  graph: (x, y) => mul(sub(x, y), sign(sub(x, y))), // not abs, whose slope at 0 is -1 there
  loss: (x, y) => Math.abs(x - y),
  slope: (x, y) => Math.sign(x - y),
})

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Below this difference the error is squared; 0 gives {@link l1Loss}. @default 1 */
  beta?: number
}

/**
 * ½d²/β for a difference d below β, else |d| − ½β, averaged over all elements, after `torch.nn.functional.smooth_l1_loss` (Girshick 2015).
 * Differentiable.
 *
 * Outputs and targets are float32 of one shape.
 *
 * @throws {@link TargetError} when shapes or dtypes differ; {@link TrainOptionError} for an unknown option or a negative `beta`.
 * @example
 * ```ts
 * await fit(model, { optimizer, train, loss: smoothL1Loss.with({ beta: 0.5 }) })
 * ```
 */
export const smoothL1Loss: Loss<SmoothL1LossOptions> = /* @__PURE__ */ defineElementwiseLoss<
  SmoothL1LossOptions,
  number
>('smoothL1Loss', {
  options: { beta: true },
  settings({ beta = 1 }) {
    if (beta >= 0 && Number.isFinite(beta)) return beta
    throw new TrainOptionError(`smoothL1Loss: beta is ${beta}, expected a number of at least 0`)
  },
  graph(x, y, beta) {
    if (beta === 0) return mul(sub(x, y), sign(sub(x, y)))
    const d = abs(sub(x, y))
    const near = upTo(d, beta)
    return add(mul(square(near), 0.5 / beta), sub(d, near))
  },
  loss(x, y, beta) {
    const d = Math.abs(x - y)
    return d < beta ? (0.5 * d * d) / beta : d - 0.5 * beta
  },
  slope(x, y, beta) {
    const d = x - y
    return Math.abs(d) < beta ? d / beta : Math.sign(d)
  },
})

/** Options of {@link huberLoss}. */
export interface HuberLossOptions extends LossOptions {
  /** Up to this difference the error is squared. @default 1 */
  delta?: number
}

/**
 * ½d² for a difference d up to δ, else δ·(|d| − ½δ), averaged over all elements, after `torch.nn.functional.huber_loss` (Huber 1964).
 * Differentiable.
 *
 * Outputs and targets are float32 of one shape.
 *
 * @throws {@link TargetError} when shapes or dtypes differ; {@link TrainOptionError} for an unknown option or a `delta` that is not over 0.
 * @example
 * ```ts
 * await fit(model, { optimizer, train, loss: huberLoss.with({ delta: 0.7 }) })
 * ```
 */
export const huberLoss: Loss<HuberLossOptions> = /* @__PURE__ */ defineElementwiseLoss<HuberLossOptions, number>(
  'huberLoss',
  {
    options: { delta: true },
    settings({ delta = 1 }) {
      if (delta > 0 && Number.isFinite(delta)) return delta
      throw new TrainOptionError(`huberLoss: delta is ${delta}, expected a number over 0`)
    },
    graph(x, y, delta) {
      const d = abs(sub(x, y))
      const near = upTo(d, delta)
      return add(mul(square(near), 0.5), mul(sub(d, near), delta))
    },
    loss(x, y, delta) {
      const d = Math.abs(x - y)
      return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta)
    },
    slope(x, y, delta) {
      const d = x - y
      return Math.abs(d) <= delta ? d : delta * Math.sign(d)
    },
  },
)
