import { currentRuntime } from '../configure'
import { KernelShapeError } from '../errors'
import { losses } from '../runtimes/js/softmax'

/** The softmax of rows of logits. */
export interface SoftmaxRows {
  /** exp(z − max z) / Σ exp(z − max z), `[rows, classes]` */
  probabilities: Float32Array
  /** max z and Σ exp(z − max z) of each row, one after the other; valid until the next call. */
  totals: Float64Array
}

/**
 * The softmax of rows of logits by the best code that there is, in float64 inside: what a cross-entropy and its gradient are made of.
 *
 * @param logits `[rows, classes]`
 * @throws {@link KernelShapeError} when they are not whole rows.
 * @example
 * ```ts
 * const { probabilities, totals } = softmaxRows(Float32Array.of(1, 2, 3), 3)
 * console.log(totals[0], probabilities[2].toFixed(3)) // 3 0.665
 * ```
 */
export function softmaxRows(logits: Float32Array, classes: number): SoftmaxRows {
  if (!(classes > 0) || logits.length % classes !== 0) {
    throw new KernelShapeError(`logits has ${logits.length} numbers, expected rows of ${classes} classes`)
  }
  const probabilities = new Float32Array(logits.length)
  const { softmax } = currentRuntime()?.losses ?? losses
  return { probabilities, totals: softmax(logits, classes, probabilities) }
}
