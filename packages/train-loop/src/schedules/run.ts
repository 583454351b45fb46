import { show } from '../checks'
import { TrainOptionError } from '../errors'
import type { EpochEnd } from '../events'
import { type Monitors, readMonitor, requireMonitor } from '../monitor'
import type { PlateauSchedule } from './plateau'
import type { Schedule } from './schedule'

export type { Schedule } from './schedule'

/** Whether a schedule follows a number of each epoch, and is not a function of time. */
export function isPlateau(schedule: Schedule | PlateauSchedule): schedule is PlateauSchedule {
  return typeof (schedule as Partial<PlateauSchedule>).observe === 'function'
}

/** Refuses what is no schedule. */
export function requireSchedule(schedule: Schedule | PlateauSchedule | undefined): void {
  if (schedule === undefined || (schedule !== null && isPlateau(schedule))) return
  if (typeof schedule !== 'function') {
    throw new TrainOptionError(`schedule is ${show(schedule)}, expected a function such as stepLR({ stepSize: 3 })`)
  }
  const { by = 'epoch' } = schedule
  if (by === 'epoch' || by === 'step') return
  throw new TrainOptionError(`the schedule's by is ${show(by)}, expected 'epoch' or 'step'`)
}

function requireRate(lr: number, by: 'epoch' | 'step', at: number): number {
  if (typeof lr === 'number' && Number.isFinite(lr) && lr >= 0) return lr
  throw new TrainOptionError(
    `the schedule gave ${show(lr)} as lr of ${by} ${at}, counted from 0; expected a finite number of at least 0`,
  )
}

/** Sets the learning rates of a run. */
export class ScheduleRun {
  /**
   * @param groups whose learning rates are set
   * @param initialLrs what each had when the run began
   */
  constructor(
    private readonly schedule: Schedule | PlateauSchedule | undefined,
    private readonly groups: readonly { lr: number }[],
    private readonly initialLrs: readonly number[],
    private readonly monitors: Monitors,
  ) {}

  /** Before an epoch, counted from 0. */
  beginEpoch(epoch: number): void {
    this.setAt('epoch', epoch)
  }

  /** Before a step of the run, counted from 0. */
  beginStep(step: number): void {
    this.setAt('step', step)
  }

  /** After an epoch and its validation. */
  endEpoch(end: EpochEnd): void {
    const { schedule } = this
    if (schedule === undefined || !isPlateau(schedule)) return
    const { monitor, better } = requireMonitor('schedule', this.monitors, schedule.monitor, schedule.better)
    const next = schedule.observe(readMonitor('schedule', end, monitor), better)
    for (const group of this.groups) group.lr = next(group.lr)
  }

  private setAt(by: 'epoch' | 'step', at: number): void {
    const { schedule, groups, initialLrs } = this
    if (schedule === undefined || isPlateau(schedule) || (schedule.by ?? 'epoch') !== by) return
    groups.forEach((group, place) => {
      group.lr = requireRate(schedule(at, initialLrs[place]), by, at)
    })
  }
}
