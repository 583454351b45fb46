import type { LossOps } from '../../runtime'

/** Softmax in plain JavaScript: the specification of native/softmax.h, and its stand-in. */
function softmax(logits: Float32Array, classes: number, probabilities: Float32Array): Float64Array {
  const rows = logits.length / classes
  const totals = new Float64Array(2 * rows)
  for (let row = 0; row < rows; row++) {
    const begin = row * classes
    let max = logits[begin]
    for (let k = 1; k < classes; k++) max = Math.max(max, logits[begin + k])
    let total = 0
    for (let k = 0; k < classes; k++) {
      const exponential = Math.exp(logits[begin + k] - max)
      probabilities[begin + k] = exponential
      total += exponential
    }
    const scale = 1 / total
    for (let k = 0; k < classes; k++) probabilities[begin + k] *= scale
    totals[2 * row] = max
    totals[2 * row + 1] = total
  }
  return totals
}

/** The gradient of a cross-entropy, p − 1 at the target and p elsewhere, times what arrives from above. */
function softmaxGradient(
  probabilities: Float32Array,
  classes: number,
  targets: Int32Array,
  upstream: Float32Array,
): void {
  for (let n = 0; n < targets.length; n++) {
    const row = n * classes
    const dy = upstream.length === 1 ? upstream[0] : upstream[n]
    probabilities[row + targets[n]] -= 1
    for (let k = 0; k < classes; k++) probabilities[row + k] *= dy
  }
}

/** Losses in plain JavaScript. */
export const losses: LossOps = { softmax, softmaxGradient }
