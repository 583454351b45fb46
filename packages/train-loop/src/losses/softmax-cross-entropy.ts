import { softmaxRows } from '@rowwise/rnn-kernels'

/** The losses of a batch and the probabilities behind them. */
export interface CrossEntropyValues {
  /** −log softmax(logits)[target], `[N]` */
  losses: Float32Array
  /** softmax(logits), `[N, C]` */
  probabilities: Float32Array
}

/**
 * Softmax and cross-entropy of a batch in one pass, in float64 inside:
 *
 *     p = exp(z − max z) / Σ exp(z − max z)
 *     loss = log Σ exp(z − max z) − (z[target] − max z)
 *
 * @param logits `[N, C]`
 * @param targets `[N]`
 */
export function softmaxCrossEntropy(logits: Float32Array, targets: Int32Array, classes: number): CrossEntropyValues {
  const { probabilities, totals } = softmaxRows(logits, classes)
  const losses = Float32Array.from(targets, (target, sample) => {
    const [max, total] = [totals[2 * sample], totals[2 * sample + 1]]
    return Math.log(total) - (logits[sample * classes + target] - max)
  })
  return { losses, probabilities }
}

/**
 * The gradient of {@link softmaxCrossEntropy} by the logits, (p − onehot(target)) · scale[sample], in the place of `p`.
 *
 * @param scale the gradient by each sample's loss, `[N]`, or one number for all
 */
export function softmaxCrossEntropyGradient(
  probabilities: Float32Array,
  targets: Int32Array,
  classes: number,
  scale: ArrayLike<number>,
): Float32Array {
  for (let sample = 0; sample < targets.length; sample++) {
    const row = sample * classes
    const factor = scale.length === 1 ? scale[0] : scale[sample]
    probabilities[row + targets[sample]] -= 1
    for (let k = 0; k < classes; k++) probabilities[row + k] *= factor
  }
  return probabilities
}
