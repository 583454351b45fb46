import { mul, neg, sum, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core'
import { checkedTargets } from './check-targets'
import { type LossOptions, reduce, reductionOf } from './reduction'

/**
 * The negative log-likelihood of class indices, after `torch.nn.functional.nll_loss`: −logProbabilities[target], averaged
 * over the batch, or over all steps of it. Differentiable.
 *
 * @param logProbabilities float32 `[N, C]` or `[N, T, C]`, such as `tf.logSoftmax` gives
 * @param targets int32 `[N]` or `[N, T]`, each from 0 to C − 1
 * @returns a scalar, or the targets' shape with `reduction: 'none'`; the caller disposes it
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
    return reduce(neg(sum(mul(logProbabilities, oneHot(indices, logProbabilities.shape)), -1)), reduction)
  })
}

/** Float32 `[…, C]`; not tf.oneHot, which on the WASM backend writes integers into its float32 tensor. */
function oneHot(indices: Int32Array, shape: number[]): Tensor {
  const classes = shape[shape.length - 1]
  const values = new Float32Array(indices.length * classes)
  indices.forEach((index, sample) => {
    values[sample * classes + index] = 1
  })
  return tensor(values, shape)
}
