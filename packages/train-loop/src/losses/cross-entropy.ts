import { hostTensor, isHostBackend, readValues } from '@rowwise/host-values'
import { customGrad, logSoftmax, type Tensor, tidy } from '@tensorflow/tfjs-core'
import type { LossVJP } from '../model'
import { checkedTargets } from './check-targets'
import { nllLoss } from './nll-loss'
import { type LossOptions, type Reduction, reductionOf } from './reduction'
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from './softmax-cross-entropy'

/**
 * The cross-entropy between logits and class indices, after `torch.nn.functional.cross_entropy`:
 * −log softmax(logits)[target], averaged over the batch, or over all steps of it. Differentiable.
 *
 * @param logits float32 `[N, C]`, or `[N, T, C]` for a class at each step
 * @param targets int32 `[N]` or `[N, T]`, each from 0 to C − 1
 * @returns a scalar, or the targets' shape with `reduction: 'none'`; the caller disposes it
 * @throws {@link TargetError} when the shapes do not fit or a target is no class.
 * @example
 * ```ts
 * const loss = crossEntropy(model.forward(inputs), targets)
 * ```
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  const indices = checkedTargets('crossEntropy', logits, targets)
  const reduction = reductionOf('crossEntropy', options)
  if (!isHostBackend()) return tidy(() => nllLoss(logSoftmax(logits), targets, options))
  const operation = customGrad((input) => {
    const { value, pullback } = fused(input as Tensor, indices, targets.shape, reduction)
    return { value, gradFunc: (upstream: Tensor) => pullback(readValues(upstream)) }
  })
  return operation(logits)
}

/** The mean of {@link crossEntropy} and its gradient by the logits, without TensorFlow.js's tape. */
crossEntropy.vjp = (logits: Tensor, targets: Tensor): LossVJP | undefined => {
  const indices = checkedTargets('crossEntropy', logits, targets)
  if (!isHostBackend()) return undefined
  const { value, pullback } = fused(logits, indices, targets.shape, 'mean')
  return { value, pullback: () => pullback(ONE, true) }
}

const ONE = Float32Array.of(1)

/** The loss and its gradient in one pass each over arrays. */
function fused(
  logits: Tensor,
  targets: Int32Array,
  targetShape: readonly number[],
  reduction: Reduction,
): { value: Tensor; pullback(upstream: Float32Array, isLast?: boolean): Tensor } {
  const shape = [...logits.shape]
  const [samples, classes] = [targets.length, shape[shape.length - 1]]
  const { losses, probabilities } = softmaxCrossEntropy(readValues(logits), targets, classes)
  const sum = losses.reduce((total, loss) => total + loss, 0)
  const value =
    reduction === 'none'
      ? hostTensor(losses, [...targetShape])
      : hostTensor(Float32Array.of(reduction === 'mean' ? sum / samples : sum), [])
  return {
    value,
    pullback(upstream, isLast = false) {
      const perSample = upstream.map((dy) => (reduction === 'mean' ? dy / samples : dy))
      return hostTensor(
        softmaxCrossEntropyGradient(isLast ? probabilities : probabilities.slice(), targets, classes, perSample),
        shape,
      )
    },
  }
}
