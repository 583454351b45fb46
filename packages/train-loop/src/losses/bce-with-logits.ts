import { hostValues, isHostBackend, readValues } from '@rowwise/host-values'
import { add, mul, neg, softplus, sub, type Tensor, tensor1d } from '@tensorflow/tfjs-core'
import { TargetError } from '../errors'
import { weightsOf } from './class-targets'
import type { Loss, LossOptions } from './define-loss'
import { defineElementwiseLoss } from './elementwise'

/** Options of {@link bceWithLogits}. */
export interface BCEWithLogitsOptions extends LossOptions {
  /** A weight of the positive answers of each class, `[C]`, the outputs' last axis: over 1 raises recall. @default 1 for each */
  posWeight?: ArrayLike<number>
}

/**
 * The binary cross-entropy between logits x and targets y from 0 to 1, after `torch.nn.functional.binary_cross_entropy_with_logits`:
 * −(p·y·log σ(x) + (1 − y)·log(1 − σ(x))), averaged over all elements. Differentiable, and does not overflow:
 *
 *     loss = (1 − y)·x + (1 + (p − 1)·y)·softplus(−x), softplus(−x) = log(1 + e^−|x|) + max(−x, 0)
 *
 * Outputs and targets are float32 of one shape.
 *
 * @throws {@link TargetError} when shapes or dtypes differ, or a target is not from 0 to 1; {@link TrainOptionError} for an unknown
 * option or a negative weight.
 * @example
 * ```ts
 * await fit(model, { optimizer, train, loss: bceWithLogits.with({ posWeight: [3] }) })
 * ```
 */
export const bceWithLogits: Loss<BCEWithLogitsOptions> = /* @__PURE__ */ defineElementwiseLoss<
  BCEWithLogitsOptions,
  Float32Array | undefined
>('bceWithLogits', {
  options: { posWeight: true },
  settings: ({ posWeight }) => posWeight && weightsOf('bceWithLogits', 'posWeight', posWeight),
  check,
  graph(x, y, posWeight) {
    const w = posWeight ? add(mul(sub(tensor1d(posWeight), 1), y), 1) : 1
    return add(mul(sub(1, y), x), mul(w, softplus(neg(x))))
  },
  loss: (x, y, posWeight, at) =>
    (1 - y) * x + weightOf(y, posWeight, at) * (Math.log1p(Math.exp(-Math.abs(x))) + Math.max(-x, 0)),
  slope: (x, y, posWeight, at) => 1 - y - weightOf(y, posWeight, at) / (1 + Math.exp(x)),
})

function weightOf(y: number, posWeight: Float32Array | undefined, at: number): number {
  return posWeight ? 1 + (posWeight[at % posWeight.length] - 1) * y : 1
}

function check(outputs: Tensor, targets: Tensor, posWeight: Float32Array | undefined): void {
  const classes = outputs.shape[outputs.shape.length - 1] ?? 1
  if (posWeight && posWeight.length !== classes) {
    throw new TargetError(
      `bceWithLogits: posWeight has ${posWeight.length} numbers, expected one for each of the ${classes} outputs`,
    )
  }
  if (!isHostBackend() && hostValues(targets) === undefined) return
  const values = readValues(targets)
  const stray = values.findIndex((y) => y < 0 || y > 1)
  if (stray < 0) return
  throw new TargetError(`bceWithLogits: target ${stray} is ${values[stray]}, expected a number from 0 to 1`)
}
