import { isTypedArray } from '@rowwise/host'
import { filledTensor, readValues, takeOver } from '@rowwise/host-values'
import { type AdamSlot, adamCoefficients, adamSlots } from '@rowwise/rnn-kernels'
import type { Variable } from '@tensorflow/tfjs-core'
import { refuseOptions } from '../checks'
import { OptimizerStateError, TargetError, TrainOptionError } from '../errors'
import type { NamedGradients, NamedParameters, Trainable } from '../model'
import type { Optimizer } from './optimizer'
import { parametersToTrain } from './parameters'

/** The settings of {@link Adam}, with PyTorch's defaults. */
export interface AdamOptions {
  /** Learning rate. @default 1e-3 */
  lr?: number
  /** Decay of the running averages of the gradient and of its square. @default [0.9, 0.999] */
  betas?: readonly [number, number]
  /** Added to the denominator. @default 1e-8 */
  eps?: number
  /** λ of an L2 penalty that is added to the gradient. @default 0 */
  weightDecay?: number
}

/** Everything that {@link Adam} needs to go on, as plain numbers and arrays. */
export interface AdamState extends Required<AdamOptions> {
  /** Steps taken. */
  step: number
  /** m, the running average of the gradient, by parameter name. */
  expAvg: Record<string, Float32Array>
  /** v, the running average of the squared gradient, by parameter name. */
  expAvgSq: Record<string, Float32Array>
}

interface Slot {
  readonly parameter: Variable
  readonly adam: AdamSlot
}

/**
 * Adam, after `torch.optim.Adam`: same defaults, same arithmetic in float32, a state that is complete, so that a run which
 * goes on from it is bit-equal to one that never stopped.
 *
 * @param trained a model, or the tensors to train by name; they stay the model's, and those that are frozen now are left out
 * @throws {@link TrainOptionError} when a setting is unknown or out of range, or the parameters are not tensors to train.
 * @example
 * ```ts
 * const optimizer = new Adam(model, { lr: 1e-3 })
 * await trainModel(model, optimizer, crossEntropy, loader)
 * ```
 */
export class Adam implements Optimizer {
  /** Learning rate; may be changed between steps. */
  lr: number
  /** Decay of the two running averages. */
  readonly betas: readonly [number, number]
  /** Added to the denominator. */
  readonly eps: number
  /** λ of the L2 penalty. */
  readonly weightDecay: number
  private stepsTaken = 0
  private readonly slots: Map<string, Slot>

  constructor(trained: NamedParameters | Pick<Trainable, 'parameters'>, options: AdamOptions = {}) {
    const parameters = parametersToTrain('new Adam()', trained)
    refuseOptions('new Adam()', options, { lr: true, betas: true, eps: true, weightDecay: true })
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options
    requireSettings({ lr, betas, eps, weightDecay })
    this.lr = lr
    this.betas = betas
    this.eps = eps
    this.weightDecay = weightDecay
    const slots = adamSlots(Object.values(parameters).map(({ size }) => size))
    const named = Object.entries(parameters)
    this.slots = new Map(named.map(([name, parameter], place) => [name, { parameter, adam: slots[place] }]))
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.stepsTaken
  }

  /**
   * Changes every parameter that has a gradient; the gradients remain the caller's.
   *
   * @param gradients by parameter name, each of its parameter's shape
   * @throws {@link TargetError} when a gradient has no parameter or another size; nothing is changed then.
   */
  step(gradients: NamedGradients): void {
    for (const [name, { size }] of Object.entries(gradients)) {
      const expected = this.slots.get(name)?.parameter.size
      if (size !== expected) {
        throw new TargetError(
          `the gradient of ${name} has ${size} elements, its parameter ${expected ?? 'is none of this Adam; make it after freeing what was frozen'}`,
        )
      }
    }
    this.stepsTaken += 1
    const coefficients = adamCoefficients(this, this.stepsTaken)
    for (const [name, gradient] of Object.entries(gradients)) {
      const { parameter, adam } = this.slots.get(name) as Slot
      const [theta, values] = [readValues(parameter), readValues(gradient)]
      takeOver(
        parameter,
        filledTensor(parameter.shape, (next) => adam.update(theta, values, next, coefficients)),
      )
    }
  }

  /** A copy of everything needed to go on. */
  stateDict(): AdamState {
    const { lr, betas, eps, weightDecay, stepsTaken: step } = this
    const collect = (pick: (slot: AdamSlot) => Float32Array): Record<string, Float32Array> =>
      Object.fromEntries(Array.from(this.slots, ([name, { adam }]) => [name, pick(adam).slice()]))
    return {
      step,
      lr,
      betas: [...betas],
      eps,
      weightDecay,
      expAvg: collect(({ m }) => m),
      expAvgSq: collect(({ v }) => v),
    }
  }

  /**
   * Goes on from a state; `lr` is taken over too, the other settings must be equal.
   *
   * @throws {@link OptimizerStateError} when the state is of other parameters or settings; nothing is changed then.
   */
  loadStateDict(state: AdamState): void {
    this.checkState(state)
    for (const [name, { adam }] of this.slots) {
      adam.m.set(state.expAvg[name])
      adam.v.set(state.expAvgSq[name])
    }
    this.lr = state.lr
    this.stepsTaken = state.step
  }

  private checkState(state: AdamState): void {
    if (!isStateShaped(state)) {
      throw new OptimizerStateError('the state is none of an Adam: expected what stateDict() returned')
    }
    const settings = ({ betas, eps, weightDecay }: Required<Omit<AdamOptions, 'lr'>>): string =>
      `betas ${betas}, eps ${eps}, weightDecay ${weightDecay}`
    if (settings(state) !== settings(this)) {
      throw new OptimizerStateError(`the state was made with ${settings(state)}, this Adam has ${settings(this)}`)
    }
    if (!Number.isSafeInteger(state.step) || state.step < 0 || !(state.lr >= 0)) {
      throw new OptimizerStateError(`the state has step ${state.step} and lr ${state.lr}, expected both at least 0`)
    }
    for (const part of ['expAvg', 'expAvgSq'] as const) {
      const found = Object.keys(state[part]).sort().join()
      const expected = [...this.slots.keys()].sort().join()
      if (found !== expected) {
        throw new OptimizerStateError(`the state's ${part} is of the parameters ${found}, expected ${expected}`)
      }
      for (const [name, slot] of this.slots) {
        const { m } = slot.adam
        const { length } = state[part][name]
        if (!isTypedArray(state[part][name], 'Float32Array') || length !== m.length) {
          throw new OptimizerStateError(`the state's ${part} of ${name} has ${length} numbers, expected ${m.length}`)
        }
      }
    }
  }
}

function isStateShaped(state: Partial<AdamState> | null): boolean {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
  return isObject(state) && isObject(state?.expAvg) && isObject(state?.expAvgSq) && Array.isArray(state?.betas)
}

function requireSettings({ lr, betas, eps, weightDecay }: Required<AdamOptions>): void {
  const nonNegative = { lr, eps, weightDecay }
  for (const [name, value] of Object.entries(nonNegative)) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new TrainOptionError(`Adam: ${name} is ${value}, expected a finite number of at least 0`)
    }
  }
  if (!Array.isArray(betas) || betas.length !== 2 || !betas.every((beta) => beta >= 0 && beta < 1)) {
    throw new TrainOptionError(`Adam: betas are ${betas}, expected both from 0 up to, not including, 1`)
  }
}
