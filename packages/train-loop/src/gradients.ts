import './register-gradients'
import { hostTensor } from '@rowwise/host-values'
import { type Scalar, type Tensor, type Variable, variableGrads } from '@tensorflow/tfjs-core'
import { crossEntropy, crossEntropyAndGradient } from './losses/cross-entropy'
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
export function valueAndGradients(model: Trainable, loss: LossFunction, batch: Batch): ValueAndGradients {
  const { inputs, targets } = batch
  const withoutTape = loss === crossEntropy ? withModelsVJP(model, batch) : undefined
  if (withoutTape) return withoutTape
  const parameters = Object.entries(model.parameters())
  const variables: Variable[] = parameters.map(([, parameter]) => parameter)
  const { value, grads } = variableGrads(() => loss(model.forward(inputs), targets) as Scalar, variables)
  const present = parameters.filter(([, { name }]) => grads[name] != null)
  return {
    loss: value,
    gradients: Object.fromEntries(present.map(([name, parameter]) => [name, grads[parameter.name]])),
  }
}

/** The same of a model that takes the way back by itself, with the loss whose gradient is known here. */
function withModelsVJP(model: Trainable, { inputs, targets }: Batch): ValueAndGradients | undefined {
  const pass = model.vjp?.(inputs)
  if (pass === undefined) return undefined
  try {
    const { loss: value, gradient } = crossEntropyAndGradient(pass.outputs, pass.shape, targets)
    const gradients = pass.vjp(gradient)
    return { loss: hostTensor(Float32Array.of(value), []), gradients }
  } finally {
    pass.release()
  }
}
