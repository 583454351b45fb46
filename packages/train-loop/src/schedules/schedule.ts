import { refuseOptions } from '../checks'
import { TrainOptionError } from '../errors'

/** The learning rate at a time, counted from 0, given the one that the run began with. */
export interface Schedule {
  (at: number, initialLr: number): number
  /** What time counts: epochs, or steps of the whole run. @default 'epoch' */
  by?: 'epoch' | 'step'
}

/** Options of every schedule. */
export interface ScheduleOptions {
  /** What time counts: epochs, or steps of the whole run. @default 'epoch' */
  by?: 'epoch' | 'step'
}

/** Makes a schedule of a function of time. */
export function schedule(
  name: string,
  { by = 'epoch' }: ScheduleOptions,
  lr: (at: number, initialLr: number) => number,
): Schedule {
  if (by !== 'epoch' && by !== 'step') {
    throw new TrainOptionError(`${name}: by is ${JSON.stringify(by)}, expected 'epoch' or 'step'`)
  }
  return Object.assign((at: number, initialLr: number) => lr(at, initialLr), { by })
}

/** Refuses names that nobody reads; `by` is everybody's. */
export function refuseScheduleOptions(name: string, options: object, known: Readonly<Record<string, true>>): void {
  refuseOptions<object>(`${name}()`, options, { by: true, ...known })
}

/** Refuses what is not an integer of at least 1. */
export function requireCount(name: string, options: Readonly<Record<string, number>>): void {
  for (const [option, value] of Object.entries(options)) {
    if (Number.isInteger(value) && value >= 1) continue
    throw new TrainOptionError(`${name}: ${option} is ${value}, expected an integer of at least 1`)
  }
}
