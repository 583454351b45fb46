import type { OptionNames } from '@rowwise/errors'
import { refuseOptions } from '../checks'
import { TrainOptionError } from '../errors'
import type { EpochEnd } from '../events'
import type { BetterWhen } from '../metrics/metric'
import { checkBetterWhen, readMonitor, requireMonitor } from '../monitor'
import type { Callbacks } from './callbacks'

/** When {@link earlyStopping} ends a run. */
export interface EarlyStoppingOptions {
  /**
   * The number to watch: `trainLoss`, `validationLoss`, or the name of a metric of the validation.
   *
   * @default 'validationLoss', or 'trainLoss' without a validation
   */
  monitor?: string
  /** Whether smaller or larger is better. @default what the metric says; 'lower' for losses */
  better?: BetterWhen
  /** Epochs without improvement that are put up with. @default 3 */
  patience?: number
  /** Only a change larger than this is an improvement. @default 0 */
  minDelta?: number
}

const OPTIONS: OptionNames<EarlyStoppingOptions> = { monitor: true, better: true, patience: true, minDelta: true }

/**
 * Ends a run when a number has not improved for `patience` epochs.
 *
 * @throws {@link TrainOptionError} for an unknown option, when `patience` is not a positive integer, or, before the first step of a
 * run, when there is no such number.
 * @example
 * ```ts
 * const stop = earlyStopping({ monitor: 'accuracy', patience: 2 })
 * await fit(model, { optimizer, train, validation, metrics: { accuracy: accuracy() }, epochs: 50, callbacks: [stop] })
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callbacks {
  refuseOptions('earlyStopping()', options, OPTIONS)
  const { monitor: wanted, better: given, patience = 3, minDelta = 0 } = options
  checkBetterWhen('earlyStopping', given)
  if (!(minDelta >= 0)) throw new TrainOptionError(`earlyStopping: minDelta is ${minDelta}, expected at least 0`)
  if (!Number.isInteger(patience) || patience < 1) {
    throw new TrainOptionError(`earlyStopping: patience is ${patience}, expected an integer of at least 1`)
  }
  let watched = { monitor: 'trainLoss', better: 'lower' as BetterWhen }
  let best = Number.POSITIVE_INFINITY
  let badEpochs = 0
  const count = (event: EpochEnd): void => {
    const value = readMonitor('earlyStopping', event, watched.monitor)
    const cost = watched.better === 'higher' ? -value : value
    const improved = cost < best - minDelta
    badEpochs = improved ? 0 : badEpochs + 1
    if (improved) best = cost
  }
  return {
    onFitBegin({ history, monitors }, control) {
      watched = requireMonitor('earlyStopping', monitors, wanted, given)
      best = Number.POSITIVE_INFINITY
      badEpochs = 0
      history.forEach(count)
      if (badEpochs >= patience) control.stop()
    },
    onEpochEnd(event, control) {
      count(event)
      if (badEpochs >= patience) control.stop()
    },
  }
}
