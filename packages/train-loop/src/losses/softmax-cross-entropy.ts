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
  const losses = new Float32Array(targets.length)
  const probabilities = new Float32Array(logits.length)
  for (let sample = 0; sample < targets.length; sample++) {
    const row = sample * classes
    let max = logits[row]
    for (let k = 1; k < classes; k++) max = Math.max(max, logits[row + k])
    let total = 0
    for (let k = 0; k < classes; k++) {
      const exponential = Math.exp(logits[row + k] - max)
      probabilities[row + k] = exponential
      total += exponential
    }
    for (let k = 0; k < classes; k++) probabilities[row + k] /= total
    losses[sample] = Math.log(total) - (logits[row + targets[sample]] - max)
  }
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
