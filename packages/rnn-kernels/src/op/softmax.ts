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
 * @param probabilities an array to write; a new one when absent
 * @throws {@link KernelShapeError} when they are not whole rows, or the array has another length.
 * @example
 * ```ts
 * const { probabilities, totals } = softmaxRows(Float32Array.of(1, 2, 3), 3)
 * console.log(totals[0], probabilities[2].toFixed(3)) // 3 0.665
 * ```
 */
export function softmaxRows(
  logits: Float32Array,
  classes: number,
  probabilities: Float32Array = new Float32Array(logits.length),
): SoftmaxRows {
  if (!(classes > 0) || logits.length % classes !== 0) {
    throw new KernelShapeError(`logits has ${logits.length} numbers, expected rows of ${classes} classes`)
  }
  if (probabilities.length !== logits.length) {
    throw new KernelShapeError(
      `probabilities has ${probabilities.length} numbers, expected ${logits.length}, as logits has`,
    )
  }
  const { softmax } = currentRuntime()?.losses ?? losses
  return { probabilities, totals: softmax(logits, classes, probabilities) }
}
