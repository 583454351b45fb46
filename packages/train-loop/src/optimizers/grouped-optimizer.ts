import { filledTensor, isHostBackend, readValues, takeOver } from '@rowwise/host-values'
import { dispose, keep, type Tensor, tensor, tidy, type Variable, zeros } from '@tensorflow/tfjs-core'
import { refuseOptions, requireNonNegative } from '../checks'
import { OptimizerStateError, TargetError, TrainOptionError } from '../errors'
import type { NamedGradients, NamedParameters } from '../model'
import type { Optimizer } from './optimizer'
import { checkState, type OptimizerState } from './optimizer-state'
import { namedParameters, type ParametersOf, parametersToTrain } from './parameters'
import type { ArraySlot, CommonSettings, OptimizerRule } from './rule'
import { noteFrozen } from './trained-by'

/** Settings of a part of the parameters; what is absent is as for the rest. */
export type ParameterGroupOptions<Settings> = Partial<Settings> & {
  /** The part: a layer of the model, or some of its parameters by name. */
  parameters: ParametersOf
}

/** The settings of an optimizer, and those of parts of its parameters. */
export type OptimizerOptions<Settings> = Partial<Settings> & {
  /** Parts of the parameters with settings of their own. */
  groups?: readonly ParameterGroupOptions<Settings>[]
}

/** A part of the parameters and its settings; `lr` may be changed between steps. */
export type ParameterGroup<Settings> = Readonly<Omit<Settings, 'lr'>> & {
  /** Learning rate. */
  lr: number
  /** Names of its parameters. */
  readonly parameters: readonly string[]
}

/** A parameter, and what is saved for it: in arrays, or on a device. */
interface Slot<Settings> {
  readonly parameter: Variable
  readonly group: ParameterGroup<Settings> & Settings
  /** Steps taken. */
  t: number
  arrays?: ArraySlot<Settings>
  tensors?: Record<string, Tensor>
}

/**
 * What optimizers have in common: groups, frozen parameters, states that are complete, and checks. What differs is a
 * {@link OptimizerRule}. The base of {@link SGD}, {@link Adam}, {@link AdamW} and {@link RMSprop}.
 */
export abstract class GroupedOptimizer<Settings extends CommonSettings> implements Optimizer {
  /** The parameters of each of the groups that were asked for, then the rest. */
  readonly groups: readonly ParameterGroup<Settings>[]
  private readonly slots: Map<string, Slot<Settings>>
  private isDisposed = false

  /** @throws {@link TrainOptionError} when a setting is unknown or out of range, or the parameters are not tensors to train. */
  protected constructor(
    private readonly rule: OptimizerRule<Settings>,
    trained: ParametersOf,
    options: OptimizerOptions<Settings>,
  ) {
    const owner = `new ${rule.name}()`
    const parameters = parametersToTrain(owner, trained)
    noteFrozen(this, namedParameters(owner, trained))
    refuseOptions<object>(owner, options, { ...rule.options, groups: true })
    const { groups = [], ...shared } = options
    if (!Array.isArray(groups)) throw new TrainOptionError(`${owner}: groups is not an array of { parameters, lr, … }`)
    const settings = this.settings(owner, shared as unknown as Partial<Settings>)
    const groupOf = new Map<Variable, number>()
    const made = groups.map((group: ParameterGroupOptions<Settings>, place) => {
      const name = `${owner}: groups[${place}]`
      refuseOptions<object>(name, group, { ...rule.options, parameters: true })
      const { parameters: part, ...own } = group
      for (const [parameter, variable] of Object.entries(namedParameters(name, part))) {
        if (groupOf.has(variable)) {
          throw new TrainOptionError(`${name} has ${parameter}, which is in groups[${groupOf.get(variable)}] already`)
        }
        groupOf.set(variable, place)
      }
      return { ...this.settings(name, { ...settings, ...own } as Partial<Settings>), parameters: [] as string[] }
    })
    const rest = { ...settings, parameters: [] as string[] }
    this.slots = new Map(
      Object.entries(parameters).map(([name, parameter]) => {
        const group = made[groupOf.get(parameter) ?? -1] ?? rest
        group.parameters.push(name)
        return [name, { parameter, group, t: 0 }]
      }),
    )
    const strange = made.findIndex((group) => group.parameters.length === 0)
    if (strange >= 0) {
      throw new TrainOptionError(
        `${owner}: groups[${strange}] has no parameter that is trained here; name a part of the model that is not frozen`,
      )
    }
    this.groups = rest.parameters.length > 0 ? [...made, rest] : made
  }

  /** Learning rate; may be changed between steps. With several groups each has its own, in `groups`. */
  get lr(): number {
    return this.groups[0].lr
  }

  set lr(lr: number) {
    if (this.groups.length > 1) {
      throw new TrainOptionError(
        `${this.rule.name} has ${this.groups.length} groups of parameters; set the lr of each: groups[0].lr`,
      )
    }
    this.groups[0].lr = lr
  }

  /** Steps taken so far, by the parameter that took most. */
  get steps(): number {
    return Math.max(...Array.from(this.slots.values(), ({ t }) => t))
  }

  /** The tensors that it trains, by name. */
  parameters(): NamedParameters {
    return Object.fromEntries(Array.from(this.slots, ([name, { parameter }]) => [name, parameter]))
  }

  /**
   * Changes every parameter that has a gradient; the gradients remain the caller's.
   *
   * @param gradients by parameter name, each of its parameter's shape
   * @throws {@link TargetError} when a gradient has no parameter or another shape, {@link OptimizerStateError} when the optimizer or a
   * parameter was disposed; nothing is changed then.
   */
  step(gradients: NamedGradients): void {
    this.requireUsable()
    for (const [name, { shape }] of Object.entries(gradients)) {
      const parameter = this.slots.get(name)?.parameter
      if (parameter === undefined) throw this.unknown(name)
      if (shape.length === parameter.shape.length && shape.every((size, axis) => size === parameter.shape[axis]))
        continue
      throw new TargetError(`the gradient of ${name} has shape [${shape}], its parameter [${parameter.shape}]`)
    }
    const isHost = isHostBackend()
    this.provide(isHost)
    for (const [name, gradient] of Object.entries(gradients)) {
      const slot = this.slots.get(name) as Slot<Settings>
      slot.t += 1
      if (isHost) stepInArrays(slot, gradient)
      else this.stepOnDevice(slot, gradient)
    }
  }

  /** A copy of everything needed to go on. Waits for the device. */
  async stateDict(): Promise<OptimizerState> {
    const saved: Record<string, Record<string, Float32Array>> = {}
    for (const [name, slot] of this.slots) {
      for (const key of this.rule.saved(slot.group)) {
        const values = slot.arrays?.saved[key] ?? (await slot.tensors?.[key]?.data<'float32'>())
        saved[key] ??= {}
        saved[key][name] = values?.slice() ?? new Float32Array(slot.parameter.size)
      }
    }
    return {
      optimizer: this.rule.name,
      groups: this.groups.map((group) => ({ ...group, parameters: [...group.parameters] })),
      steps: Object.fromEntries(Array.from(this.slots, ([name, { t }]) => [name, t])),
      saved,
    }
  }

  /**
   * Goes on from a state; each `lr` is taken over too, the other settings must be equal.
   *
   * @throws {@link OptimizerStateError} when the state is of other parameters or settings; nothing is changed then.
   */
  loadStateDict(state: OptimizerState): void {
    const slots = Array.from(this.slots, ([name, { parameter, group }]) => {
      return { name, size: parameter.size, saved: this.rule.saved(group) }
    })
    checkState(state, { optimizer: this.rule.name, groups: this.groups, slots })
    this.groups.forEach((group, place) => {
      group.lr = state.groups[place].lr
    })
    for (const slot of this.slots.values()) release(slot)
    const isHost = isHostBackend()
    this.provide(isHost)
    for (const [name, slot] of this.slots) {
      slot.t = state.steps[name]
      for (const key of this.rule.saved(slot.group)) {
        const values = state.saved[key][name]
        if (slot.arrays) slot.arrays.saved[key].set(values)
        if (slot.tensors) slot.tensors[key] = keep(tensor(values.slice(), slot.parameter.shape))
      }
    }
  }

  /** Frees what is saved; the parameters remain the model's. The optimizer cannot be used afterwards. */
  dispose(): void {
    this.isDisposed = true
    for (const slot of this.slots.values()) release(slot)
  }

  private requireUsable(): void {
    const { name } = this.rule
    if (this.isDisposed) throw new OptimizerStateError(`this ${name} was disposed; make another one`)
    for (const [disposed, { parameter }] of this.slots) {
      if (!parameter.isDisposed) continue
      throw new OptimizerStateError(`${disposed} was disposed, which this ${name} trains; make one of a living model`)
    }
  }

  private unknown(name: string): TargetError {
    const known = [...this.slots.keys()]
    const some = known.slice(0, 3).join(', ') + (known.length > 3 ? ', …' : '')
    return new TargetError(
      `the gradient of ${name} belongs to no parameter of this ${this.rule.name}, which has ${some}; gradients have the names of ` +
        'parameters(), and what was frozen when the optimizer was made is none of them',
    )
  }

  private settings(owner: string, given: Partial<Settings>): Settings {
    const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    const settings = { ...this.rule.defaults, ...present }
    requireNonNegative(owner, { lr: settings.lr, weightDecay: settings.weightDecay })
    this.rule.check(settings)
    return settings
  }

  /** Makes what is saved where the current backend computes. */
  private provide(isHost: boolean): void {
    const slots = [...this.slots.values()]
    if (slots.some(({ arrays, tensors }) => (isHost ? tensors : arrays))) {
      throw new OptimizerStateError(
        `the backend changed while this ${this.rule.name} was in use; make a new one and give it the stateDict() of before`,
      )
    }
    if (!isHost) {
      for (const slot of slots) slot.tensors ??= {}
      return
    }
    if (slots[0].arrays) return
    const made = this.rule.slots(
      slots.map(({ parameter }) => parameter.size),
      slots.map(({ group }) => group),
    )
    slots.forEach((slot, place) => {
      slot.arrays = made[place]
    })
  }

  private stepOnDevice({ parameter, group, t, tensors = {} }: Slot<Settings>, gradient: Tensor): void {
    const next = tidy(() => {
      const before = Object.fromEntries(
        this.rule.saved(group).map((key) => [key, tensors[key] ?? zeros(parameter.shape)]),
      )
      const { theta, saved } = this.rule.graph(parameter, gradient, before, t, group)
      parameter.assign(theta)
      return saved
    })
    dispose(tensors)
    for (const [key, value] of Object.entries(next)) tensors[key] = keep(value)
  }
}

function stepInArrays<Settings>({ parameter, group, t, arrays }: Slot<Settings>, gradient: Tensor): void {
  const [theta, values] = [readValues(parameter), readValues(gradient)]
  takeOver(
    parameter,
    filledTensor(parameter.shape, (next) => (arrays as ArraySlot<Settings>).update(theta, values, next, t, group)),
  )
}

function release(slot: Slot<never> | Slot<CommonSettings>): void {
  if (slot.tensors) dispose(slot.tensors)
  slot.tensors = undefined
  slot.arrays = undefined
}
