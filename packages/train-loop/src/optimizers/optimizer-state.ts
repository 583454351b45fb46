import { isTypedArray } from '@rowwise/host'
import { OptimizerStateError } from '../errors'

/** A group of parameters, as a state holds it: its settings by name, and these. */
export interface GroupState {
  /** Learning rate. */
  lr: number
  /** Names of its parameters. */
  parameters: string[]
  /** Its other settings. */
  [setting: string]: unknown
}

/** Everything that an optimizer needs to go on, as plain numbers and arrays. */
export interface OptimizerState {
  /** Its name: `Adam`. */
  optimizer: string
  /** The settings of each group and the names of its parameters. */
  groups: GroupState[]
  /** Steps taken, by parameter name. */
  steps: Record<string, number>
  /** What is saved between steps, such as `expAvg`, each by parameter name: float32 of its parameter's size. */
  saved: Record<string, Record<string, Float32Array>>
}

/** What a state must fit. */
interface Expected {
  optimizer: string
  groups: readonly Readonly<Record<string, unknown>>[]
  slots: readonly { name: string; size: number; saved: readonly string[] }[]
}

/** @throws {@link OptimizerStateError} unless a state is one of this optimizer, of these parameters and settings. */
export function checkState(state: OptimizerState, { optimizer, groups, slots }: Expected): void {
  if (!isObject(state) || !isObject(state.steps) || !isObject(state.saved) || !Array.isArray(state.groups)) {
    throw new OptimizerStateError(`the state is not one of ${optimizer}: expected what stateDict() returned`)
  }
  if (state.optimizer !== optimizer) {
    throw new OptimizerStateError(`the state is one of ${String(state.optimizer)}, this is ${optimizer}; use the same`)
  }
  if (state.groups.length !== groups.length) {
    throw new OptimizerStateError(`the state has ${state.groups.length} groups, this ${optimizer} ${groups.length}`)
  }
  groups.forEach((group, place) => {
    const [before, now] = [settingsOf(state.groups[place]), settingsOf(group)]
    const { lr } = state.groups[place]
    if (!(lr >= 0)) throw new OptimizerStateError(`the state has lr ${lr}, expected at least 0`)
    if (before !== now) throw new OptimizerStateError(`the state was made with ${before}, this ${optimizer} has ${now}`)
  })
  for (const { name, size, saved } of slots) {
    const t = state.steps[name]
    if (!Number.isSafeInteger(t) || t < 0) {
      throw new OptimizerStateError(`the state has ${t} steps of ${name}, expected a count`)
    }
    for (const key of saved) {
      const values = state.saved[key]?.[name]
      if (isTypedArray(values, 'Float32Array') && values.length === size) continue
      throw new OptimizerStateError(
        `the state's ${key} of ${name} has ${values?.length ?? 'no'} numbers, expected ${size}`,
      )
    }
  }
}

/** The settings of a group in words, without its learning rate. */
function settingsOf({ lr, parameters, ...settings }: Readonly<Record<string, unknown>>): string {
  const named = Object.entries(settings).map(([name, value]) => `${name} ${String(value)}`)
  return `${named.join(', ')} for ${[parameters].flat().sort().join(', ')}`
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
