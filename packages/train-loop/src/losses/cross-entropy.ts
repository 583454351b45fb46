import { readIntegers, readValues, takeArray } from '@rowwise/host-values'
import { softmaxGradient, softmaxRows } from '@rowwise/rnn-kernels'
import { mul, neg, sum } from '@tensorflow/tfjs-core'
import { type ClassLossOptions, type ClassSettings, checkClasses, classSettings, classWeights } from './class-targets'
import { defineLoss, type Loss, type Losses } from './define-loss'
import { logSoftmax } from './log-softmax'

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** ε, the share of each target that is spread evenly over all classes (Szegedy et al. 2016). @default 0 */
  labelSmoothing?: number
}

/**
 * The cross-entropy between logits and class indices, after `torch.nn.functional.cross_entropy`: −Σₖ aₖ·log softmax(logits)ₖ with
 * aₖ = (1 − ε)·w[target]·[k = target] + ε/C·wₖ, averaged over the weights of the targets. Differentiable.
 *
 * Outputs are logits, float32 `[N, C]`, or `[N, T, C]` for a class at each step; targets are int32 `[N]` or `[N, T]`, each from 0 to
 * C − 1, or `ignoreIndex`.
 *
 * @throws {@link TargetError} when the shapes do not fit, a target is no class, or all are ignored; {@link TrainOptionError} for an
 * unknown option or one out of range.
 * @example
 * ```ts
 * const loss = crossEntropy(model.forward(inputs), targets)
 * await trainModel(model, optimizer, crossEntropy.with({ labelSmoothing: 0.1 }), loader)
 * ```
 */
export const crossEntropy: Loss<CrossEntropyOptions> = /* @__PURE__ */ defineLoss<CrossEntropyOptions, ClassSettings>(
  'crossEntropy',
  {
    options: { weight: true, ignoreIndex: true, labelSmoothing: true },
    settings: (options) => classSettings('crossEntropy', options),
    check: (outputs, targets, settings) => checkClasses('crossEntropy', outputs, targets, settings),
    graph(outputs, targets, settings) {
      const { a, divisor } = classWeights(targets, outputs.shape[outputs.shape.length - 1], settings)
      return { losses: neg(sum(mul(a, logSoftmax(outputs)), -1)), divisor }
    },
    arrays(outputs, targets, settings) {
      const [logits, indices] = [readValues(outputs), readIntegers(targets)]
      const classes = outputs.shape[outputs.shape.length - 1]
      const isPlain = settings.weight === undefined && settings.labelSmoothing === 0
      return isPlain && !indices.includes(settings.ignoreIndex)
        ? plain(logits, indices, classes)
        : weighted(logits, indices, classes, settings)
    },
  },
)

/**
 * Every target counts 1, in float64 inside:
 *
 *     p = exp(z − max z) / Σ exp(z − max z)
 *     loss = log Σ exp(z − max z) − (z[target] − max z)
 *     ∂loss/∂z = p − onehot(target)
 */
function plain(logits: Float32Array, targets: Int32Array, classes: number): Losses {
  const { probabilities, totals } = softmaxRows(logits, classes, takeArray(logits.length))
  const values = new Float32Array(targets.length)
  for (let n = 0; n < targets.length; n++) {
    values[n] = Math.log(totals[2 * n + 1]) - (logits[n * classes + targets[n]] - totals[2 * n])
  }
  return {
    values,
    divisor: targets.length,
    pullback(upstream, isLast) {
      const gradient = isLast ? probabilities : probabilities.slice()
      softmaxGradient(gradient, classes, targets, upstream)
      return gradient
    },
  }
}

/**
 * With weights, smoothing or ignored targets:
 *
 *     loss = −Σₖ aₖ·log pₖ, where −log pₖ = log Σ exp(z − max z) − (zₖ − max z)
 *     ∂loss/∂zₖ = pₖ·Σⱼ aⱼ − aₖ
 */
function weighted(
  logits: Float32Array,
  targets: Int32Array,
  classes: number,
  { weight, ignoreIndex, labelSmoothing }: ClassSettings,
): Losses {
  const { probabilities, totals } = softmaxRows(logits, classes, takeArray(logits.length))
  const w = weight ?? new Float32Array(classes).fill(1)
  const evenly = w.map((wk) => (labelSmoothing / classes) * wk)
  const sumEvenly = evenly.reduce((total, ak) => total + ak, 0)
  const ofTarget = (target: number): number => (1 - labelSmoothing) * w[target]
  const values = new Float32Array(targets.length)
  let divisor = 0
  targets.forEach((target, n) => {
    if (target === ignoreIndex) return
    divisor += w[target]
    const [row, max, logTotal] = [n * classes, totals[2 * n], Math.log(totals[2 * n + 1])]
    const minusLogP = (k: number): number => logTotal - (logits[row + k] - max)
    let loss = ofTarget(target) * minusLogP(target)
    if (labelSmoothing > 0) for (let k = 0; k < classes; k++) loss += evenly[k] * minusLogP(k)
    values[n] = loss
  })
  return {
    values,
    divisor,
    pullback(upstream, isLast) {
      const gradient = isLast ? probabilities : probabilities.slice()
      targets.forEach((target, n) => {
        const row = n * classes
        if (target === ignoreIndex) {
          gradient.fill(0, row, row + classes)
          return
        }
        const dy = upstream.length === 1 ? upstream[0] : upstream[n]
        const total = ofTarget(target) + sumEvenly
        const before = gradient[row + target]
        for (let k = 0; k < classes; k++) gradient[row + k] = (gradient[row + k] * total - evenly[k]) * dy
        gradient[row + target] = (before * total - evenly[target] - ofTarget(target)) * dy
      })
      return gradient
    },
  }
}
