import type { OptionNames } from '@rowwise/errors'
import { refuseOptions } from '../checks'
import { TrainOptionError } from '../errors'
import type { EpochEnd } from '../events'
import type { Callbacks } from './callbacks'

/** When {@link earlyStopping} ends a run. */
export interface EarlyStoppingOptions {
  /** The number to watch. @default 'testLoss' */
  monitor?: 'testLoss' | 'trainLoss' | 'accuracy'
  /** Epochs without improvement that are put up with. @default 3 */
  patience?: number
  /** Only a change larger than this is an improvement. @default 0 */
  minDelta?: number
}

const OPTIONS: OptionNames<EarlyStoppingOptions> = { monitor: true, patience: true, minDelta: true }

const MONITORS: readonly string[] = ['testLoss', 'trainLoss', 'accuracy']

/**
 * Ends a run when a number has not improved for `patience` epochs.
 *
 * @throws {@link TrainOptionError} for an unknown number or option, when `patience` is not a positive integer, or, at the end of an
 * epoch, when the number is one of the evaluation and there is no test data.
 * @example
 * ```ts
 * await fit(model, { optimizer, train, test, epochs: 50, callbacks: [earlyStopping({ patience: 2 })] })
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callbacks {
  refuseOptions('earlyStopping()', options, OPTIONS)
  const { monitor = 'testLoss', patience = 3, minDelta = 0 } = options
  if (!MONITORS.includes(monitor)) {
    throw new TrainOptionError(`earlyStopping: monitor is '${monitor}', expected one of ${MONITORS.join(', ')}`)
  }
  if (!(minDelta >= 0)) throw new TrainOptionError(`earlyStopping: minDelta is ${minDelta}, expected at least 0`)
  if (!Number.isInteger(patience) || patience < 1) {
    throw new TrainOptionError(`earlyStopping: patience is ${patience}, expected an integer of at least 1`)
  }
  let best = Number.POSITIVE_INFINITY
  let badEpochs = 0
  const count = (event: EpochEnd): void => {
    const cost = monitor === 'accuracy' ? -read(event, monitor) : read(event, monitor)
    const improved = cost < best - minDelta
    badEpochs = improved ? 0 : badEpochs + 1
    if (improved) best = cost
  }
  return {
    onFitBegin({ history }, control) {
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

function read({ trainLoss, test }: EpochEnd, monitor: NonNullable<EarlyStoppingOptions['monitor']>): number {
  if (monitor === 'trainLoss') return trainLoss
  if (test === undefined) {
    throw new TrainOptionError(
      `earlyStopping watches ${monitor}, but fit has no test data; pass test or watch trainLoss`,
    )
  }
  return monitor === 'testLoss' ? test.loss : test.correct / test.total
}
