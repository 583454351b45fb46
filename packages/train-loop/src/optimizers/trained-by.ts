import type { Variable } from '@tensorflow/tfjs-core'
import { TrainOptionError } from '../errors'
import type { NamedGradients, NamedParameters, Trainable } from '../model'
import type { Optimizer } from './optimizer'

const frozen = new WeakMap<Optimizer, ReadonlySet<Variable>>()

/** Notes what an optimizer leaves out because it was frozen when the optimizer was made. */
export function noteFrozen(optimizer: Optimizer, given: NamedParameters): void {
  frozen.set(optimizer, new Set(Object.values(given).filter(({ trainable }) => !trainable)))
}

/** Passes on the gradients that an optimizer uses, under its names; the others are disposed. */
export type GradientFilter = (gradients: NamedGradients) => NamedGradients

/**
 * Which of a model's gradients an optimizer uses: of one that was made of a part of the model those of that part, which it may have
 * under other names.
 *
 * @throws {@link TrainOptionError} when it trains another model's tensors, or was made before some of the model was freed.
 */
export function trainedBy(model: Trainable, optimizer: Optimizer): GradientFilter {
  const trained = optimizer.parameters?.()
  if (trained === undefined) return (gradients) => gradients
  const own = model.parameters()
  const nameIn = new Map<Variable, string>(Object.entries(trained).map(([name, variable]) => [variable, name]))
  const names = new Map(
    Object.entries(own).map(([name, variable]) => [name, trained[name] === variable ? name : nameIn.get(variable)]),
  )
  const variables = new Set(Object.values(own))
  const strays = Object.keys(trained).filter((name) => !variables.has(trained[name]))
  // It may train more than this model, under other names.
  const stray =
    strays.length === Object.keys(trained).length ? strays[0] : strays.find((name) => Object.hasOwn(own, name))
  if (stray !== undefined) {
    throw new TrainOptionError(
      `the optimizer was made for another model's ${stray}; make it of the model that is trained`,
    )
  }
  const freed = Object.keys(own).find((name) => own[name].trainable && frozen.get(optimizer)?.has(own[name]))
  if (freed !== undefined)
    throw new TrainOptionError(`${freed} was frozen when the optimizer was made; make it after freeing what was frozen`)
  const isWhole = Object.entries(own).every(([name, { trainable }]) => names.get(name) === name || !trainable)
  if (isWhole) return (gradients) => gradients
  return (gradients) => {
    const taken: Record<string, NamedGradients[string]> = {}
    for (const [name, gradient] of Object.entries(gradients)) {
      const known = names.get(name)
      if (known !== undefined) taken[known] = gradient
    }
    // One tensor may be the gradient with respect to two parameters.
    const used = new Set(Object.values(taken))
    for (const gradient of Object.values(gradients)) if (!used.has(gradient)) gradient.dispose()
    return taken
  }
}
