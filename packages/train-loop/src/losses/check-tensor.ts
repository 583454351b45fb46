import type { Tensor } from '@tensorflow/tfjs-core'
import { show } from '../checks'
import { TargetError } from '../errors'

/** Refuses what is not a living tensor. */
export function requireTensor(owner: string, name: string, value: Tensor): void {
  if (!Array.isArray(value?.shape)) throw new TargetError(`${owner} got ${show(value)} as ${name}, expected a tensor`)
  if (value.isDisposed) throw new TargetError(`${owner} got ${name} that were disposed; use them before, or clone them`)
}

/** Refuses outputs and targets that are not float32 of one shape: TensorFlow.js would stretch one over the other. */
export function requireAlike(owner: string, outputs: Tensor, targets: Tensor): void {
  requireTensor(owner, 'outputs', outputs)
  requireTensor(owner, 'targets', targets)
  for (const [name, { dtype }] of Object.entries({ outputs, targets })) {
    if (dtype === 'float32') continue
    throw new TargetError(`${owner} got ${dtype} ${name}, expected float32; use tf.cast(${name}, 'float32')`)
  }
  if (outputs.shape.join() === targets.shape.join()) return
  throw new TargetError(
    `${owner} got outputs [${outputs.shape}] and targets [${targets.shape}], expected one shape; reshape the targets to [${outputs.shape}]`,
  )
}
