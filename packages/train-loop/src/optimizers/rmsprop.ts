import { add, div, mul, sqrt, square, sub } from '@tensorflow/tfjs-core'
import { requireNonNegative } from '../checks'
import { TrainOptionError } from '../errors'
import { GroupedOptimizer, type OptimizerOptions } from './grouped-optimizer'
import type { ParametersOf } from './parameters'
import { type CommonSettings, type OptimizerRule, plainSlots, requireBoolean } from './rule'

/** The settings of {@link RMSprop}, with PyTorch's defaults. */
export interface RMSpropSettings extends CommonSettings {
  /** Learning rate. @default 1e-2 */
  lr: number
  /** α, the decay of the running averages. @default 0.99 */
  alpha: number
  /** Added to the denominator. @default 1e-8 */
  eps: number
  /** λ of an L2 penalty that is added to the gradient. @default 0 */
  weightDecay: number
  /** μ, how much of the last step is taken again. @default 0 */
  momentum: number
  /** Divide by the standard deviation of the gradient, not by the root of its mean square. @default false */
  centered: boolean
}

const RMSPROP_RULE: OptimizerRule<RMSpropSettings> = {
  name: 'RMSprop',
  defaults: { lr: 1e-2, alpha: 0.99, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false },
  options: { lr: true, alpha: true, eps: true, weightDecay: true, momentum: true, centered: true },
  check({ alpha, eps, momentum, centered }) {
    requireNonNegative('RMSprop', { alpha, eps, momentum })
    requireBoolean('RMSprop', { centered })
    if (alpha > 1) throw new TrainOptionError(`RMSprop: alpha is ${alpha}, expected a number from 0 to 1`)
  },
  saved: ({ momentum, centered }) => [
    'squareAvg',
    ...(momentum > 0 ? ['momentumBuffer'] : []),
    ...(centered ? ['gradAvg'] : []),
  ],
  graph(theta, gradient, { squareAvg, momentumBuffer, gradAvg }, _, settings) {
    const { lr, alpha, eps, weightDecay, momentum, centered } = settings
    const g = add(gradient, mul(theta, weightDecay))
    const v = add(mul(squareAvg, alpha), mul(square(g), 1 - alpha))
    const mean = centered ? add(mul(gradAvg, alpha), mul(g, 1 - alpha)) : undefined
    const scaled = div(g, add(sqrt(mean ? sub(v, square(mean)) : v), eps))
    const b = momentum > 0 ? add(mul(momentumBuffer, momentum), scaled) : undefined
    const saved = { squareAvg: v, ...(b && { momentumBuffer: b }), ...(mean && { gradAvg: mean }) }
    return { theta: sub(theta, mul(b ?? scaled, lr)), saved }
  },
  slots: (sizes, settings) =>
    plainSlots<RMSpropSettings>(
      sizes,
      settings.map(RMSPROP_RULE.saved),
      ({ squareAvg, momentumBuffer, gradAvg }, theta, gradient, next, _, group) => {
        const { fround, sqrt: root } = Math
        const [lr, alpha, rest] = [fround(group.lr), fround(group.alpha), fround(1 - group.alpha)]
        const [mu, lambda, eps] = [fround(group.momentum), fround(group.weightDecay), fround(group.eps)]
        for (let k = 0; k < theta.length; k++) {
          const g = lambda === 0 ? gradient[k] : fround(gradient[k] + lambda * theta[k])
          const v = fround(fround(alpha * squareAvg[k]) + fround(rest * g) * g)
          squareAvg[k] = v
          let average = v
          if (gradAvg) {
            gradAvg[k] += rest * fround(g - gradAvg[k])
            average = fround(v - gradAvg[k] * gradAvg[k])
          }
          const denominator = fround(fround(root(average)) + eps)
          if (momentumBuffer) {
            momentumBuffer[k] = fround(mu * momentumBuffer[k]) + fround(g / denominator)
            next[k] = theta[k] - lr * momentumBuffer[k]
          } else {
            next[k] = theta[k] - fround(lr * g) / denominator
          }
        }
      },
    ),
}

/**
 * RMSprop, after `torch.optim.RMSprop` (Hinton's lecture 6e; centered: Graves 2013):
 *
 *     g ← g + λ·θ
 *     v ← α·v + (1 − α)·g²
 *     a ← √v + ε, centered: m ← α·m + (1 − α)·g and a ← √(v − m²) + ε
 *     θ ← θ − lr·g/a, with momentum b ← μ·b + g/a and θ ← θ − lr·b
 *
 * @param trained a model, or the tensors to train by name; they stay the model's, and those that are frozen now are left out
 * @throws {@link TrainOptionError} when a setting is unknown or out of range, or the parameters are not tensors to train.
 * @example
 * ```ts
 * const optimizer = new RMSprop(model, { lr: 1e-3, momentum: 0.9 })
 * ```
 */
export class RMSprop extends GroupedOptimizer<RMSpropSettings> {
  constructor(trained: ParametersOf, options: OptimizerOptions<RMSpropSettings> = {}) {
    super(RMSPROP_RULE, trained, options)
  }
}
