import { mul, neg, sum, type Tensor, tensor2d, tidy } from '@tensorflow/tfjs-core'
import { checkedTargets } from './check-targets'
import { type LossOptions, reduce, reductionOf } from './reduction'

/**
 * The negative log-likelihood of class indices, after `torch.nn.functional.nll_loss`: −logProbabilities[target], averaged
 * over the batch. Differentiable.
 *
 * @param logProbabilities float32 `[N, C]`, such as `tf.logSoftmax` gives
 * @param targets int32 `[N]`, each from 0 to C − 1
 * @returns a scalar, or `[N]` with `reduction: 'none'`; the caller disposes it
 * @throws {@link TargetError} when the shapes do not fit or a target is no class.
 * @example
 * ```ts
 * const loss = nllLoss(tf.logSoftmax(logits), targets, { reduction: 'sum' })
 * ```
 */
export function nllLoss(logProbabilities: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  const indices = checkedTargets('nllLoss', logProbabilities, targets)
  const reduction = reductionOf('nllLoss', options)
  return tidy(() => {
    const chosen = oneHot(indices, logProbabilities.shape[1] as number)
    return reduce(neg(sum(mul(logProbabilities, chosen), 1)), reduction)
  })
}

/** Float32 `[N, C]`; not tf.oneHot, which on the WASM backend writes integers into its float32 tensor. */
function oneHot(indices: Int32Array, classes: number): Tensor {
  const values = new Float32Array(indices.length * classes)
  indices.forEach((index, sample) => {
    values[sample * classes + index] = 1
  })
  return tensor2d(values, [indices.length, classes])
}
