import './register-gradients'
import { add, dispose, engine, type Scalar, type Tensor, tidy, variableGrads } from '@tensorflow/tfjs-core'
import { requireOutputs, requireScalar } from './checks'
import { TrainOptionError } from './errors'
import type { Batch, LossFunction, ModelVJP, NamedGradients, NamedParameters, Trainable } from './model'

/** A loss and its gradients; the caller disposes all of them. */
export interface ValueAndGradients {
  /** scalar */
  loss: Tensor
  /** by parameter name, each of its parameter's shape */
  gradients: NamedGradients
}

/**
 * A loss and its gradient with respect to every parameter that it depends on (`loss.backward()` in PyTorch): of a batch, or, for your own
 * loops, of whatever a function computes, such as several outputs, or two models against each other. That is recorded by TensorFlow.js's tape.
 *
 * @throws {@link TrainOptionError} when the loss is not one number, or depends on no parameter that is trained.
 * @example
 * ```ts
 * const { loss, gradients } = valueAndGradients(model, crossEntropy, batch)
 * optimizer.step(gradients)
 * tf.dispose([loss, gradients])
 *
 * const both = valueAndGradients(model, () => {
 *   const { classes, size } = model.forward(inputs)
 *   return tf.add(crossEntropy(classes, labels), mseLoss(size, sizes))
 * })
 * ```
 */
export function valueAndGradients(model: Trainable, loss: LossFunction, batch: Batch): ValueAndGradients
export function valueAndGradients(model: Pick<Trainable, 'parameters'>, loss: () => Tensor): ValueAndGradients
export function valueAndGradients(
  model: Trainable | Pick<Trainable, 'parameters'>,
  loss: LossFunction | (() => Tensor),
  batch?: Batch,
): ValueAndGradients {
  if (batch === undefined) return byTape(model, loss as () => Tensor)
  const { inputs, targets } = batch
  const { forward, vjp } = model as Trainable
  const pass = vjp?.call(model, inputs)
  if (pass === undefined) return byTape(model, () => loss(requireOutputs(forward.call(model, inputs)), targets))
  try {
    return byPullback(model as Trainable, pass, loss, targets)
  } finally {
    pass.release()
  }
}

/** TensorFlow.js records the model and the loss. */
function byTape(model: Pick<Trainable, 'parameters'>, loss: () => Tensor): ValueAndGradients {
  const parameters = trained(model.parameters())
  const { value, grads } = recorded(() => variableGrads(() => requireScalar(loss()), Object.values(parameters)))
  const present = Object.entries(parameters).filter(([, { name }]) => grads[name] != null)
  return {
    loss: value,
    gradients: Object.fromEntries(present.map(([name, parameter]) => [name, grads[parameter.name]])),
  }
}

/** The model has a pullback; the tape records the loss alone, and only if that has none. A loss may read parameters itself (a penalty on weights). */
function byPullback(
  model: Trainable,
  { value: outputs, pullback }: ModelVJP,
  loss: LossFunction,
  targets: Tensor,
): ValueAndGradients {
  const known = loss.vjp?.(outputs, targets)
  if (known !== undefined) {
    const gradients = through(pullback, known.pullback())
    if (Object.keys(gradients).length === 0) trained(model.parameters()) // throws if all of them are frozen
    return { loss: known.value, gradients }
  }
  const parameters = trained(model.parameters())
  const sources = [outputs, ...Object.values(parameters)]
  const forward = (): Scalar => requireScalar(loss(outputs, targets))
  const { value, grads } = recorded(() => engine().gradients(forward, sources, undefined, true))
  const [byOutputs, ...direct] = grads as (Tensor | null)[]
  const gradients = byOutputs ? { ...through(pullback, byOutputs) } : {}
  Object.keys(parameters).forEach((name, place) => {
    const [own, penalty] = [gradients[name] as Tensor | undefined, direct[place]]
    if (!penalty) return
    gradients[name] = own ? tidy(() => add(own, penalty)) : penalty
    if (own) dispose([own, penalty])
  })
  return { loss: value === outputs ? value.clone() : value, gradients }
}

/** The error of a loss that no parameter has a part in. */
export function noGradient(): TrainOptionError {
  return new TrainOptionError(
    'the loss depends on no parameter of the model, so there is nothing to learn from it; compute it from the outputs with operations ' +
      'that have a gradient: argMax, rounding and dataSync() have none',
  )
}

/** Runs what the tape records. If it throws, disposes the tensors that the tape saved, which TensorFlow.js leaks. */
function recorded<T>(run: () => T): T {
  const { state } = engine()
  try {
    return run()
  } catch (error) {
    if (state.gradientDepth === 0) {
      for (const { saved } of state.activeTape ?? []) dispose(saved as Tensor[])
      state.activeTape = null as never
    }
    throw /Cannot find a connection/.test((error as Error).message) ? noGradient() : error
  }
}

function through(pullback: ModelVJP['pullback'], gradient: Tensor): NamedGradients {
  try {
    return pullback(gradient).parameters
  } finally {
    gradient.dispose()
  }
}

/** The parameters that are not frozen. */
function trained(parameters: NamedParameters): NamedParameters {
  const named = Object.entries(parameters).filter(([, { trainable }]) => trainable)
  if (named.length > 0) return Object.fromEntries(named)
  throw new TrainOptionError(
    'the model has no parameter to train: all are frozen; call requiresGrad(true) on a part of it',
  )
}
