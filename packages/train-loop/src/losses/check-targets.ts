import { readIntegers } from '@rowwise/host-values'
import type { Tensor } from '@tensorflow/tfjs-core'
import { TargetError } from '../errors'

/**
 * The class index of every sample, once it is sure that they belong to `[N, C]` outputs: a one-hot of a stray index would
 * silently be all zeros.
 */
export function checkedTargets(loss: string, outputs: Pick<Tensor, 'shape'>, targets: Tensor): Int32Array {
  const [samples, classes] = outputs.shape
  if (outputs.shape.length !== 2 || targets.shape.length !== 1 || targets.shape[0] !== samples) {
    throw new TargetError(
      `${loss} got outputs [${outputs.shape}] and targets [${targets.shape}], expected [N, C] and [N]; reshape them`,
    )
  }
  if (targets.dtype !== 'int32') {
    throw new TargetError(`${loss} got ${targets.dtype} targets, expected int32; use tf.tensor1d(labels, 'int32')`)
  }
  const indices = readIntegers(targets)
  for (let sample = 0; sample < samples; sample++) {
    if (indices[sample] < 0 || indices[sample] >= classes) {
      throw new TargetError(
        `${loss}: target ${sample} is ${indices[sample]}, expected a class from 0 to ${classes - 1}`,
      )
    }
  }
  return indices
}
