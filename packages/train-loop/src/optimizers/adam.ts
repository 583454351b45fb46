import { adamCoefficients, adamSlots } from '@rowwise/rnn-kernels'
import { add, div, maximum, mul, sqrt, square, sub } from '@tensorflow/tfjs-core'
import { requireNonNegative } from '../checks'
import { TrainOptionError } from '../errors'
import { GroupedOptimizer, type OptimizerOptions } from './grouped-optimizer'
import type { ParametersOf } from './parameters'
import { type ArraySlot, type CommonSettings, type OptimizerRule, plainSlots, requireBoolean } from './rule'

/** The settings of {@link Adam} and {@link AdamW}, with PyTorch's defaults. */
export interface AdamSettings extends CommonSettings {
  /** Learning rate. @default 1e-3 */
  lr: number
  /** Decay of the running averages of the gradient and of its square. @default [0.9, 0.999] */
  betas: readonly [number, number]
  /** Added to the denominator. @default 1e-8 */
  eps: number
  /** Adam: λ of an L2 penalty that is added to the gradient. AdamW: λ of a decay of the weights. @default 0; AdamW 0.01 */
  weightDecay: number
  /** Divide by the largest v so far (Reddi et al. 2018). @default false */
  amsgrad: boolean
}

const ADAM_RULE: OptimizerRule<AdamSettings> = /* @__PURE__ */ adamRule('Adam', 0)
const ADAMW_RULE: OptimizerRule<AdamSettings> = /* @__PURE__ */ adamRule('AdamW', 0.01)

/** Adam's rule; AdamW's decays the weights instead of an L2 penalty. */
function adamRule(name: 'Adam' | 'AdamW', weightDecay: number): OptimizerRule<AdamSettings> {
  const isDecoupled = name === 'AdamW'
  const saved = ({ amsgrad }: AdamSettings): string[] => ['expAvg', 'expAvgSq', ...(amsgrad ? ['maxExpAvgSq'] : [])]
  return {
    name,
    defaults: { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay, amsgrad: false },
    options: { lr: true, betas: true, eps: true, weightDecay: true, amsgrad: true },
    check({ betas, eps, amsgrad }) {
      requireNonNegative(name, { eps })
      requireBoolean(name, { amsgrad })
      if (Array.isArray(betas) && betas.length === 2 && betas.every((beta) => beta >= 0 && beta < 1)) return
      throw new TrainOptionError(`${name}: betas are ${betas}, expected both from 0 up to, not including, 1`)
    },
    saved,
    graph(before, gradient, { expAvg, expAvgSq, maxExpAvgSq }, t, { lr, betas: [beta1, beta2], eps, ...settings }) {
      const theta = isDecoupled ? mul(before, 1 - lr * settings.weightDecay) : before
      const g = isDecoupled ? gradient : add(gradient, mul(theta, settings.weightDecay))
      const m = add(mul(expAvg, beta1), mul(g, 1 - beta1))
      const v = add(mul(expAvgSq, beta2), mul(square(g), 1 - beta2))
      const largest = settings.amsgrad ? maximum(maxExpAvgSq, v) : v
      const denominator = add(div(sqrt(largest), Math.sqrt(1 - beta2 ** t)), eps)
      const next = sub(theta, mul(div(m, denominator), lr / (1 - beta1 ** t)))
      const kept = { expAvg: m, expAvgSq: v }
      return { theta: next, saved: settings.amsgrad ? { ...kept, maxExpAvgSq: largest } : kept }
    },
    slots(sizes, groups) {
      const fast = adamSlots(sizes)
      const coefficients = rememberedCoefficients()
      const slow = plainSlots<AdamSettings>(
        groups.map(({ amsgrad }, place) => (amsgrad ? sizes[place] : 0)),
        groups.map(saved),
        amsgradStep,
      )
      return groups.map(({ amsgrad }, place): ArraySlot<AdamSettings> => {
        const { m, v, update } = fast[place]
        const plain: ArraySlot<AdamSettings> = {
          saved: { expAvg: m, expAvgSq: v },
          update: (theta, gradient, next, t, settings) => update(theta, gradient, next, coefficients(settings, t)),
        }
        const slot = amsgrad ? slow[place] : plain
        return isDecoupled ? { saved: slot.saved, update: decayed(slot.update) } : slot
      })
    },
  }
}

/** The coefficients of a step, which are those of all parameters of a group. */
function rememberedCoefficients(): typeof adamCoefficients {
  let last: { settings: object; t: number; lr: number; found: ReturnType<typeof adamCoefficients> } | undefined
  return (settings, t) => {
    if (last?.settings !== settings || last.t !== t || last.lr !== settings.lr) {
      last = { settings, t, lr: settings.lr, found: adamCoefficients(settings, t) }
    }
    return last.found
  }
}

/** θ ← θ·(1 − lr·λ) before a step without a penalty. */
function decayed(update: ArraySlot<AdamSettings>['update']): ArraySlot<AdamSettings>['update'] {
  return (theta, gradient, next, t, settings) => {
    const factor = Math.fround(1 - settings.lr * settings.weightDecay)
    const smaller = theta.map((value) => value * factor)
    update(smaller, gradient, next, t, { ...settings, weightDecay: 0 })
  }
}

/** Adam's step with the largest v so far, operation by operation as PyTorch's, each rounded to float32. */
function amsgradStep(
  { expAvg: m, expAvgSq: v, maxExpAvgSq: largest }: Readonly<Record<string, Float32Array>>,
  theta: Float32Array,
  gradient: Float32Array,
  next: Float32Array,
  t: number,
  settings: AdamSettings,
): void {
  const { fround, sqrt: root, max } = Math
  const { beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, rootCorrection, eps, weightDecay } = adamCoefficients(
    settings,
    t,
  )
  for (let k = 0; k < theta.length; k++) {
    const g = weightDecay === 0 ? gradient[k] : fround(gradient[k] + fround(weightDecay * theta[k]))
    m[k] = fround(beta1 * m[k]) + fround(oneMinusBeta1 * g)
    v[k] = fround(beta2 * v[k]) + fround(fround(oneMinusBeta2 * g) * g)
    largest[k] = max(largest[k], v[k])
    const denominator = fround(fround(fround(root(largest[k])) / rootCorrection) + eps)
    next[k] = theta[k] + fround(fround(stepSize * m[k]) / denominator)
  }
}

/**
 * Adam, after `torch.optim.Adam`: same defaults, same arithmetic in float32, a state that is complete, so a run that goes on from it is
 * bit-equal to one that never stopped. The equations are those of `adamSlots` in `@rowwise/rnn-kernels`.
 *
 * @param trained a model, or the tensors to train by name; they stay the model's, and those that are frozen now are left out
 * @throws {@link TrainOptionError} when a setting is unknown or out of range, or the parameters are not tensors to train.
 * @example
 * ```ts
 * const optimizer = new Adam(model, { lr: 1e-3, groups: [{ parameters: model.embedding, lr: 1e-4 }] })
 * await trainModel(model, optimizer, crossEntropy, loader)
 * ```
 */
export class Adam extends GroupedOptimizer<AdamSettings> {
  constructor(trained: ParametersOf, options: OptimizerOptions<AdamSettings> = {}) {
    super(ADAM_RULE, trained, options)
  }
}

/**
 * Adam with a decay of the weights apart from the gradient (Loshchilov and Hutter 2019), after `torch.optim.AdamW`:
 * θ ← θ·(1 − lr·λ), then {@link Adam}'s step.
 *
 * @param trained a model, or the tensors to train by name; they stay the model's, and those that are frozen now are left out
 * @throws {@link TrainOptionError} when a setting is unknown or out of range, or the parameters are not tensors to train.
 * @example
 * ```ts
 * const optimizer = new AdamW(model, { lr: 3e-4, weightDecay: 0.1 })
 * ```
 */
export class AdamW extends GroupedOptimizer<AdamSettings> {
  constructor(trained: ParametersOf, options: OptimizerOptions<AdamSettings> = {}) {
    super(ADAMW_RULE, trained, options)
  }
}
