import { Variable } from '@tensorflow/tfjs-core'
import { show } from '../checks'
import { TrainOptionError } from '../errors'
import type { NamedParameters, Trainable } from '../model'

/** A model, a part of one, or tensors to train by name. */
export type ParametersOf = NamedParameters | Pick<Trainable, 'parameters'>

/**
 * The parameters that an optimizer is to change, of a model or by name: all that are not frozen.
 *
 * @throws {@link TrainOptionError} when there is none, or one is no living variable.
 */
export function parametersToTrain(owner: string, given: ParametersOf): NamedParameters {
  const parameters = namedParameters(owner, given)
  const trained = Object.entries(parameters).filter(([, { trainable }]) => trainable)
  if (trained.length > 0) return Object.fromEntries(trained)
  throw new TrainOptionError(
    `${owner}: all ${Object.keys(parameters).length} parameters are frozen; free some with requiresGrad(true)`,
  )
}

/** The parameters of a model or by name. @throws {@link TrainOptionError} when there is none, or one is no living variable. */
export function namedParameters(owner: string, given: ParametersOf): NamedParameters {
  const isModel = typeof (given as Trainable | null)?.parameters === 'function'
  const parameters = isModel ? (given as Trainable).parameters() : (given as NamedParameters)
  if (typeof parameters !== 'object' || parameters === null || Object.keys(parameters).length === 0) {
    throw new TrainOptionError(
      `${owner} got ${show(given)} without a parameter, expected a model or tf.variables by name: model.parameters()`,
    )
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (parameter instanceof Variable && !parameter.isDisposed) continue
    const found = parameter instanceof Variable ? 'disposed' : show(parameter)
    throw new TrainOptionError(`${owner}: the parameter ${name} is ${found}, expected a living tf.variable`)
  }
  return parameters
}
