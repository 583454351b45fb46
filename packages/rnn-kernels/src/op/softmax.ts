import { currentRuntime } from '../configure'
import { KernelShapeError } from '../errors'
import type { LossOps } from '../runtime'
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
  const { softmax } = lossOps()
  return { probabilities, totals: softmax(logits, classes, probabilities) }
}

/**
 * Makes of the probabilities of {@link softmaxRows} the gradient of a cross-entropy with respect to the logits,
 * (p − [k = target])·upstream, in place.
 *
 * @param probabilities `[rows, classes]`
 * @param targets `[rows]`, the class of each row
 * @param upstream the gradient with respect to each row's loss, `[rows]`, or one number for all
 * @throws {@link KernelShapeError} when the lengths do not fit, or a target is no class.
 * @example
 * ```ts
 * const gradient = Float32Array.of(0.25, 0.75)
 * softmaxGradient(gradient, 2, Int32Array.of(1), Float32Array.of(1))
 * console.log(gradient) // Float32Array [ 0.25, -0.25 ]
 * ```
 */
export function softmaxGradient(
  probabilities: Float32Array,
  classes: number,
  targets: Int32Array,
  upstream: Float32Array,
): void {
  if (!(classes > 0) || probabilities.length !== targets.length * classes) {
    throw new KernelShapeError(
      `probabilities has ${probabilities.length} numbers, expected ${targets.length} rows, one a target, of ${classes} classes`,
    )
  }
  if (upstream.length !== 1 && upstream.length !== targets.length) {
    throw new KernelShapeError(`upstream has ${upstream.length} numbers, expected 1 or ${targets.length}, one a target`)
  }
  const wrong = targets.find((target) => !(target >= 0 && target < classes))
  if (wrong !== undefined) {
    throw new KernelShapeError(`a target is ${wrong}, expected a class from 0 to ${classes - 1}`)
  }
  if (targets.length === 0) return
  // The cpu backend's casts keep the array of booleans or integers.
  const classesOf = targets instanceof Int32Array ? targets : Int32Array.from(targets as ArrayLike<number>)
  const from = upstream instanceof Float32Array ? upstream : Float32Array.from(upstream as ArrayLike<number>)
  lossOps().softmaxGradient(probabilities, classes, classesOf, from)
}

function lossOps(): LossOps {
  return currentRuntime()?.losses ?? losses
}
