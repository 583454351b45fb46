import { add, mul, sub, type Tensor } from '@tensorflow/tfjs-core'
import { requireNonNegative } from '../checks'
import { TrainOptionError } from '../errors'
import { GroupedOptimizer, type OptimizerOptions } from './grouped-optimizer'
import type { ParametersOf } from './parameters'
import { type CommonSettings, type OptimizerRule, plainSlots, requireBoolean } from './rule'

/** The settings of {@link SGD}, with PyTorch's defaults. */
export interface SGDSettings extends CommonSettings {
  /** Learning rate. @default 1e-3 */
  lr: number
  /** μ, how much of the last step is taken again. @default 0 */
  momentum: number
  /** τ, how little of the gradient goes into the momentum. @default 0 */
  dampening: number
  /** λ of an L2 penalty that is added to the gradient. @default 0 */
  weightDecay: number
  /** Nesterov's momentum: look ahead by μ. @default false */
  nesterov: boolean
}

const SGD_RULE: OptimizerRule<SGDSettings> = {
  name: 'SGD',
  defaults: { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
  options: { lr: true, momentum: true, dampening: true, weightDecay: true, nesterov: true },
  check({ momentum, dampening, nesterov }) {
    requireNonNegative('SGD', { momentum })
    requireBoolean('SGD', { nesterov })
    if (!Number.isFinite(dampening)) throw new TrainOptionError(`SGD: dampening is ${dampening}, expected a number`)
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new TrainOptionError(
        `SGD: nesterov is true with momentum ${momentum} and dampening ${dampening}, expected a momentum and no dampening`,
      )
    }
  },
  saved: ({ momentum }) => (momentum > 0 ? ['momentumBuffer'] : []),
  graph(theta, gradient, { momentumBuffer }, t, { lr, momentum, dampening, weightDecay, nesterov }) {
    const g = add(gradient, mul(theta, weightDecay))
    if (momentum === 0) return { theta: sub(theta, mul(g, lr)), saved: {} as Record<string, Tensor> }
    const b = t === 1 ? g.clone() : add(mul(momentumBuffer, momentum), mul(g, 1 - dampening))
    const direction = nesterov ? add(g, mul(b, momentum)) : b
    return { theta: sub(theta, mul(direction, lr)), saved: { momentumBuffer: b } }
  },
  // Products in float64 are exact, so each line is PyTorch's fused multiply-add, rounded once.
  slots: (sizes, settings) =>
    plainSlots<SGDSettings>(
      sizes,
      settings.map(SGD_RULE.saved),
      ({ momentumBuffer }, theta, gradient, next, t, group) => {
        const { fround } = Math
        const [lr, mu, lambda] = [fround(group.lr), fround(group.momentum), fround(group.weightDecay)]
        const share = fround(1 - group.dampening)
        for (let k = 0; k < theta.length; k++) {
          const g = lambda === 0 ? gradient[k] : fround(gradient[k] + lambda * theta[k])
          let direction = g
          if (momentumBuffer) {
            const b = t === 1 ? g : fround(fround(mu * momentumBuffer[k]) + share * g)
            momentumBuffer[k] = b
            direction = group.nesterov ? fround(g + mu * b) : b
          }
          next[k] = theta[k] - lr * direction
        }
      },
    ),
}

/**
 * Stochastic gradient descent with momentum, after `torch.optim.SGD` (Sutskever et al. 2013 for Nesterov's), bit-equal to it where its
 * loops fuse multiplications and additions:
 *
 *     g ← g + λ·θ
 *     b ← μ·b + (1 − τ)·g, at the first step b ← g
 *     θ ← θ − lr·b, with Nesterov's momentum θ ← θ − lr·(g + μ·b)
 *
 * @param trained a model, or the tensors to train by name; they stay the model's, and those that are frozen now are left out
 * @throws {@link TrainOptionError} when a setting is unknown or out of range, or the parameters are not tensors to train.
 * @example
 * ```ts
 * const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9, nesterov: true })
 * ```
 */
export class SGD extends GroupedOptimizer<SGDSettings> {
  constructor(trained: ParametersOf, options: OptimizerOptions<SGDSettings> = {}) {
    super(SGD_RULE, trained, options)
  }
}
