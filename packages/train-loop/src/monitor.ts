import { TrainOptionError } from './errors'
import type { EpochEnd } from './events'
import type { BetterWhen, Metrics } from './metrics/metric'

/** The numbers of an epoch that a run can be steered by, and which of them are better; undefined where the metric does not say. */
export type Monitors = Readonly<Record<string, BetterWhen | undefined>>

/** What there is to monitor: `trainLoss`, and with a validation `validationLoss` and each metric by its name. */
export function monitorsOf(metrics: Metrics, hasValidation: boolean): Monitors {
  if (!hasValidation) return { trainLoss: 'lower' }
  const named = Object.entries(metrics).map(([name, { better }]) => [name, better])
  return { trainLoss: 'lower', validationLoss: 'lower', ...Object.fromEntries(named) }
}

/**
 * Finds what to monitor: the validation's loss, or the training's without one, when no name is given.
 *
 * @throws {@link TrainOptionError} when there is no such number, or neither it nor the caller says which is better.
 */
export function requireMonitor(
  owner: string,
  monitors: Monitors,
  wanted: string | undefined,
  better: BetterWhen | undefined,
): { monitor: string; better: BetterWhen } {
  const monitor = wanted ?? (Object.hasOwn(monitors, 'validationLoss') ? 'validationLoss' : 'trainLoss')
  if (!Object.hasOwn(monitors, monitor)) {
    const hint = Object.hasOwn(monitors, 'validationLoss')
      ? 'add it to metrics'
      : 'pass validation, and the metric in metrics'
    const known = Object.keys(monitors).join(', ')
    throw new TrainOptionError(`${owner}: monitor is '${monitor}', but there is ${known}; ${hint}`)
  }
  const when = better ?? monitors[monitor]
  if (when !== undefined) return { monitor, better: when }
  throw new TrainOptionError(
    `${owner}: the metric ${monitor} does not say which is better; pass better: 'lower' or 'higher'`,
  )
}

/** Refuses what is neither absent nor a direction. */
export function checkBetterWhen(owner: string, better: unknown): void {
  if (better === undefined || better === 'lower' || better === 'higher') return
  throw new TrainOptionError(`${owner}: better is ${JSON.stringify(better)}, expected 'lower' or 'higher'`)
}

/** A number of an epoch. @throws {@link TrainOptionError} when the metric's value is not one number. */
export function readMonitor(owner: string, { trainLoss, validation }: EpochEnd, monitor: string): number {
  if (monitor === 'trainLoss') return trainLoss
  const value = monitor === 'validationLoss' ? validation?.loss : validation?.metrics[monitor]
  if (typeof value === 'number') return value
  throw new TrainOptionError(`${owner}: the metric ${monitor} is not one number; watch another`)
}
