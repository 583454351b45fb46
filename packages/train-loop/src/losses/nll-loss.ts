import { readIntegers, readValues } from '@rowwise/host-values'
import { mul, neg, sum } from '@tensorflow/tfjs-core'
import { type ClassLossOptions, type ClassSettings, checkClasses, classSettings, classWeights } from './class-targets'
import { defineLoss, type Loss } from './define-loss'

/**
 * The negative log-likelihood of class indices, after `torch.nn.functional.nll_loss`: −w[target]·logProbabilities[target], averaged
 * over the weights of the targets. Differentiable.
 *
 * Outputs are log-probabilities, float32 `[N, C]` or `[N, T, C]`, such as `tf.logSoftmax` gives; targets are int32 `[N]` or `[N, T]`,
 * each from 0 to C − 1, or `ignoreIndex`.
 *
 * @throws {@link TargetError} when the shapes do not fit, a target is no class, or all are ignored; {@link TrainOptionError} for an
 * unknown option or one out of range.
 * @example
 * ```ts
 * const loss = nllLoss(tf.logSoftmax(logits), targets, { reduction: 'sum' })
 * ```
 */
export const nllLoss: Loss<ClassLossOptions> = /* @__PURE__ */ defineLoss<ClassLossOptions, ClassSettings>('nllLoss', {
  options: { weight: true, ignoreIndex: true },
  settings: (options) => classSettings('nllLoss', options),
  check: (outputs, targets, settings) => checkClasses('nllLoss', outputs, targets, settings),
  graph(outputs, targets, settings) {
    const { a, divisor } = classWeights(targets, outputs.shape[outputs.shape.length - 1], settings)
    return { losses: neg(sum(mul(a, outputs), -1)), divisor }
  },
  arrays(outputs, targets, { weight, ignoreIndex }) {
    const [logProbabilities, indices] = [readValues(outputs), readIntegers(targets)]
    const classes = outputs.shape[outputs.shape.length - 1]
    const w = Float32Array.from(indices, (index) => (index === ignoreIndex ? 0 : (weight?.[index] ?? 1)))
    return {
      values: w.map((wn, n) => (wn === 0 ? 0 : -wn * logProbabilities[n * classes + indices[n]])),
      divisor: w.reduce((total, wn) => total + wn, 0),
      pullback(upstream) {
        const gradient = new Float32Array(logProbabilities.length)
        w.forEach((wn, n) => {
          const dy = upstream.length === 1 ? upstream[0] : upstream[n]
          if (wn !== 0) gradient[n * classes + indices[n]] = -wn * dy
        })
        return gradient
      },
    }
  },
})
