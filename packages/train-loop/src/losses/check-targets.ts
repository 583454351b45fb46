import { readIntegers } from '@rowwise/host-values'
import type { Tensor } from '@tensorflow/tfjs-core'
import { show } from '../checks'
import { TargetError } from '../errors'

/**
 * The class index of every sample, once it is sure that they belong to `[…, C]` outputs: a one-hot of a stray index would
 * silently be all zeros.
 */
export function checkedTargets(loss: string, outputs: Tensor, targets: Tensor): Int32Array {
  requireLiving(loss, 'outputs', outputs)
  requireLiving(loss, 'targets', targets)
  const classes = outputs.shape[outputs.shape.length - 1]
  if (outputs.shape.length < 2 || targets.shape.join() !== outputs.shape.slice(0, -1).join()) {
    throw new TargetError(
      `${loss} got outputs [${outputs.shape}] and targets [${targets.shape}], expected [N, C] and [N], or [N, T, C] and [N, T]; reshape them`,
    )
  }
  if (targets.dtype !== 'int32') {
    throw new TargetError(`${loss} got ${targets.dtype} targets, expected int32; use tf.tensor1d(labels, 'int32')`)
  }
  const indices = readIntegers(targets)
  for (let sample = 0; sample < indices.length; sample++) {
    if (indices[sample] < 0 || indices[sample] >= classes) {
      throw new TargetError(
        `${loss}: target ${sample} is ${indices[sample]}, expected a class from 0 to ${classes - 1}`,
      )
    }
  }
  return indices
}

function requireLiving(loss: string, name: string, value: { shape: readonly number[]; isDisposed?: boolean }): void {
  if (!Array.isArray(value?.shape)) throw new TargetError(`${loss} got ${show(value)} as ${name}, expected a tensor`)
  if (value.isDisposed) throw new TargetError(`${loss} got ${name} that were disposed; use them before, or clone them`)
}
