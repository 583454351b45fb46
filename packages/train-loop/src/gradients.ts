import './register-gradients'
import { type Scalar, type Tensor, type Variable, variableGrads } from '@tensorflow/tfjs-core'
import type { Batch, LossFunction, NamedGradients, Trainable } from './model'

/** A loss and its gradients; the caller disposes all of them. */
export interface ValueAndGradients {
  /** scalar */
  loss: Tensor
  /** by parameter name, each of its parameter's shape */
  gradients: NamedGradients
}

/**
 * The loss of a batch and its gradient by every parameter that it depends on (`loss.backward()` in PyTorch).
 *
 * @example
 * ```ts
 * const { loss, gradients } = valueAndGradients(model, crossEntropy, batch)
 * optimizer.step(gradients)
 * tf.dispose([loss, gradients])
 * ```
 */
export function valueAndGradients(model: Trainable, loss: LossFunction, { inputs, targets }: Batch): ValueAndGradients {
  const parameters = Object.entries(model.parameters())
  const variables: Variable[] = parameters.map(([, parameter]) => parameter)
  const { value, grads } = variableGrads(() => loss(model.forward(inputs), targets) as Scalar, variables)
  const present = parameters.filter(([, { name }]) => grads[name] != null)
  return {
    loss: value,
    gradients: Object.fromEntries(present.map(([name, parameter]) => [name, grads[parameter.name]])),
  }
}
