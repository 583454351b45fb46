import { hostValues, isHostBackend, readIntegers } from '@rowwise/host-values'
import { add, cast, div, expandDims, mul, notEqual, oneHot, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core'
import { TargetError, TrainOptionError } from '../errors'
import { requireTensor } from './check-tensor'
import type { LossOptions } from './define-loss'

/** Options of the losses whose targets are class indices. */
export interface ClassLossOptions extends LossOptions {
  /** A weight for each class, `[C]`; the mean is over the weights. @default 1 for each */
  weight?: ArrayLike<number>
  /** Targets of this value count for nothing: padding. @default -100 */
  ignoreIndex?: number
}

/** {@link ClassLossOptions} and what cross-entropy adds, checked. */
export interface ClassSettings {
  weight: Float32Array | undefined
  ignoreIndex: number
  labelSmoothing: number
}

/** @throws {@link TrainOptionError} when an option is out of range. */
export function classSettings(
  loss: string,
  { weight, ignoreIndex = -100, labelSmoothing = 0 }: ClassLossOptions & { labelSmoothing?: number },
): ClassSettings {
  if (!Number.isInteger(ignoreIndex)) {
    throw new TrainOptionError(`${loss}: ignoreIndex is ${ignoreIndex}, expected an integer`)
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new TrainOptionError(`${loss}: labelSmoothing is ${labelSmoothing}, expected a number from 0 to 1`)
  }
  return { weight: weight && weightsOf(loss, 'weight', weight), ignoreIndex, labelSmoothing }
}

/** Weights as float32. @throws {@link TrainOptionError} unless each is a finite number of at least 0. */
export function weightsOf(loss: string, name: string, weights: ArrayLike<number>): Float32Array {
  const values = Float32Array.from(weights)
  const at = values.findIndex((value) => !(value >= 0 && Number.isFinite(value)))
  if (values.length > 0 && at < 0) return values
  const found = at < 0 ? 'is empty' : `[${at}] is ${weights[at]}`
  throw new TrainOptionError(`${loss}: ${name} ${found}, expected a number of at least 0 for each class`)
}

/** What helps where shapes do not fit. */
function remedy({ shape }: Tensor, targets: Tensor): string {
  if (targets.shape.join() === shape.join()) return 'of one-hot targets, take the classes: tf.argMax(targets, -1)'
  const [batch, , ...steps] = shape
  if (steps.length === 1 && targets.shape.join() === [batch, ...steps].join()) {
    return 'bring the classes last: tf.transpose(outputs, [0, 2, 1])'
  }
  return 'reshape them'
}

/** Refuses targets that are no class of the outputs `[…, C]`: they would silently count for nothing. */
export function checkClasses(
  loss: string,
  outputs: Tensor,
  targets: Tensor,
  { weight, ignoreIndex }: ClassSettings,
): void {
  requireTensor(loss, 'outputs', outputs)
  requireTensor(loss, 'targets', targets)
  const classes = outputs.shape[outputs.shape.length - 1]
  if (outputs.shape.length < 2 || targets.shape.join() !== outputs.shape.slice(0, -1).join()) {
    throw new TargetError(
      `${loss} got outputs [${outputs.shape}] and targets [${targets.shape}], expected [N, C] and [N], or [N, T, C] and [N, T]; ${remedy(outputs, targets)}`,
    )
  }
  if (targets.dtype !== 'int32') {
    throw new TargetError(`${loss} got ${targets.dtype} targets, expected int32; use tf.tensor1d(labels, 'int32')`)
  }
  if (weight !== undefined && weight.length !== classes) {
    throw new TargetError(`${loss}: weight has ${weight.length} numbers, expected one for each of ${classes} classes`)
  }
  // Nothing waits for a device here: there, the graph makes the loss NaN instead.
  if (!isHostBackend() && hostValues(targets) === undefined) return
  const indices = readIntegers(targets)
  let counted = 0
  for (let sample = 0; sample < indices.length; sample++) {
    const index = indices[sample]
    if (index === ignoreIndex) continue
    counted += 1
    if (index >= 0 && index < classes) continue
    throw new TargetError(
      `${loss}: target ${sample} is ${index}, expected a class from 0 to ${classes - 1}, or ignoreIndex ${ignoreIndex}`,
    )
  }
  if (counted > 0) return
  throw new TargetError(
    `${loss}: all ${indices.length} targets are ignoreIndex ${ignoreIndex}, so there is nothing to average; leave such batches out`,
  )
}

/**
 * What each class counts for each target, a in −Σₖ aₖ·log pₖ, as a graph:
 *
 *     aₖ = (1 − ε)·w[target]·[k = target] + ε/C·wₖ, and 0 for ignored targets
 *
 * with the divisor of the mean, Σ w[target]. A target that is no class makes both NaN.
 */
export function classWeights(
  targets: Tensor,
  classes: number,
  { weight, ignoreIndex, labelSmoothing }: ClassSettings,
): { a: Tensor; divisor: Tensor } {
  const isCounted = cast(notEqual(targets, ignoreIndex), 'float32')
  const index = cast(mul(cast(targets, 'float32'), isCounted), 'int32')
  const hit = cast(oneHot(index, classes), 'float32') // […, C]
  const w = tensor1d(weight ?? new Float32Array(classes).fill(1))
  const found = sum(hit, -1, true) // 0 where the target is no class
  const wanted = div(mul(hit, w), found)
  const smooth = mul(w, labelSmoothing / classes)
  const a = mul(add(mul(wanted, 1 - labelSmoothing), smooth), expandDims(isCounted, -1))
  return { a, divisor: sum(mul(sum(wanted, -1), isCounted)) }
}
