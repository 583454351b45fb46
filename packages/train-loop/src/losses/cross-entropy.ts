import { hostTensor, readValues } from '@rowwise/host-values'
import { customGrad, getBackend, logSoftmax, type Tensor, type Tensor2D, tensor, tidy } from '@tensorflow/tfjs-core'
import { checkedTargets } from './check-targets'
import { nllLoss } from './nll-loss'
import { type LossOptions, type Reduction, reductionOf } from './reduction'
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from './softmax-cross-entropy'

/** Backends whose tensors lie in this process's memory, where a dozen kernel calls cost more than the arithmetic. */
const HOST_BACKENDS = new Set(['cpu', 'wasm'])

/**
 * The cross-entropy between logits and class indices, after `torch.nn.functional.cross_entropy`:
 * −log softmax(logits)[target], averaged over the batch. Differentiable.
 *
 * @param logits float32 `[N, C]`
 * @param targets int32 `[N]`, each from 0 to C − 1
 * @returns a scalar, or `[N]` with `reduction: 'none'`; the caller disposes it
 * @throws {@link TargetError} when the shapes do not fit or a target is no class.
 * @example
 * ```ts
 * const loss = crossEntropy(model.forward(inputs), targets)
 * ```
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: LossOptions = {}): Tensor {
  const indices = checkedTargets('crossEntropy', logits, targets)
  const reduction = reductionOf('crossEntropy', options)
  if (HOST_BACKENDS.has(getBackend())) return fusedCrossEntropy(logits, indices, reduction)
  return tidy(() => nllLoss(logSoftmax(logits as Tensor2D), targets, options))
}

/** The mean of {@link crossEntropy} over a batch and its gradient by the logits, `[N, C]`, outside of TensorFlow.js's tape. */
export function crossEntropyAndGradient(
  logits: Float32Array,
  shape: number[],
  targets: Tensor,
): { loss: number; gradient: Float32Array } {
  const indices = checkedTargets('crossEntropy', { shape }, targets)
  const [samples, classes] = shape
  const { losses, probabilities } = softmaxCrossEntropy(logits, indices, classes)
  return {
    loss: losses.reduce((total, loss) => total + loss, 0) / samples,
    gradient: softmaxCrossEntropyGradient(probabilities, indices, classes, Float32Array.of(1 / samples)),
  }
}

/** The loss and its gradient in one pass each over arrays. */
function fusedCrossEntropy(logits: Tensor, targets: Int32Array, reduction: Reduction): Tensor {
  const [samples, classes] = logits.shape
  const operation = customGrad((input) => {
    const { losses, probabilities } = softmaxCrossEntropy(readValues(input as Tensor), targets, classes)
    const sum = losses.reduce((total, loss) => total + loss, 0)
    const value = reduction === 'none' ? tensor(losses) : tensor(reduction === 'mean' ? sum / samples : sum)
    const gradFunc = (upstream: Tensor): Tensor => {
      const perSample = readValues(upstream).map((dy) => (reduction === 'mean' ? dy / samples : dy))
      const values = softmaxCrossEntropyGradient(probabilities.slice(), targets, classes, perSample)
      return hostTensor(values, [samples, classes])
    }
    return { value, gradFunc }
  })
  return operation(logits)
}
