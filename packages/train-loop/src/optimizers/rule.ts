import type { OptionNames } from '@rowwise/errors'
import type { Tensor } from '@tensorflow/tfjs-core'
import { TrainOptionError } from '../errors'

/** What every optimizer can be told. */
export interface CommonSettings {
  /** Learning rate. */
  lr: number
  /** λ of an L2 penalty, or of a decay of the weights. */
  weightDecay: number
}

/** The arrays that are saved for a parameter between steps, and the step over arrays. */
export interface ArraySlot<Settings> {
  /** By name, float32 of the parameter's size. */
  readonly saved: Readonly<Record<string, Float32Array>>
  /**
   * One step of a parameter.
   *
   * @param next the values after it, all of which are written
   * @param t the step, counted from 1
   */
  update(theta: Float32Array, gradient: Float32Array, next: Float32Array, t: number, settings: Settings): void
}

/** What a step of a parameter gives. */
export interface GraphStep {
  /** The parameter's next value. */
  theta: Tensor
  /** What is saved for the next step, by name. */
  saved: Record<string, Tensor>
}

/** An optimizer's equations, once as a graph and once over arrays. A test holds them equal. */
export interface OptimizerRule<Settings extends CommonSettings> {
  /** PyTorch's name of it. */
  readonly name: string
  /** The settings that were not given. */
  readonly defaults: Settings
  /** Their names. */
  readonly options: OptionNames<Settings>
  /** Refuses settings that are out of range; `lr` and `weightDecay` are checked for all. @throws {@link TrainOptionError} */
  check(settings: Settings): void
  /** Names of what is saved for a parameter between steps: PyTorch's, in camel case. */
  saved(settings: Settings): readonly string[]
  /** One step of a parameter as a graph: its next value, and what is saved. */
  graph(
    theta: Tensor,
    gradient: Tensor,
    saved: Readonly<Record<string, Tensor>>,
    t: number,
    settings: Settings,
  ): GraphStep
  /** Slots over arrays for parameters of some sizes, each with its settings. */
  slots(sizes: readonly number[], settings: readonly Settings[]): ArraySlot<Settings>[]
}

/** Slots whose step is a function in JavaScript. */
export function plainSlots<Settings extends CommonSettings>(
  sizes: readonly number[],
  names: readonly (readonly string[])[],
  update: (saved: Readonly<Record<string, Float32Array>>, ...step: Parameters<ArraySlot<Settings>['update']>) => void,
): ArraySlot<Settings>[] {
  return sizes.map((size, place) => {
    const saved = Object.fromEntries(names[place].map((name) => [name, new Float32Array(size)]))
    return { saved, update: (...step) => update(saved, ...step) }
  })
}

/** Refuses what is not true or false. */
export function requireBoolean(owner: string, settings: Readonly<Record<string, boolean>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'boolean') continue
    throw new TrainOptionError(`${owner}: ${name} is ${String(value)}, expected true or false`)
  }
}
