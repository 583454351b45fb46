import type { OptionNames } from '@rowwise/errors'
import { refuseOptions, requireNonNegative } from '../checks'
import { TrainOptionError } from '../errors'
import type { BetterWhen } from '../metrics/metric'
import { checkBetterWhen } from '../monitor'

/** Options of {@link reduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** The number to watch, as in {@link EarlyStoppingOptions.monitor}. @default the validation's loss, or the training's without one */
  monitor?: string
  /** Whether smaller or larger is better. @default what the metric says; 'lower' for losses */
  better?: BetterWhen
  /** The factor of each change. @default 0.1 */
  factor?: number
  /** Epochs without improvement that are put up with. @default 10 */
  patience?: number
  /** Only a change larger than this counts. @default 1e-4 */
  threshold?: number
  /** Whether the threshold is a share of the best number, or a difference from it. @default 'rel' */
  thresholdMode?: 'rel' | 'abs'
  /** Epochs after a change in which nothing is counted. @default 0 */
  cooldown?: number
  /** The smallest learning rate. @default 0 */
  minLr?: number
  /** A change smaller than this is left out. @default 1e-8 */
  eps?: number
}

/** A schedule that follows a number of each epoch; its state is part of a checkpoint. */
export interface PlateauSchedule {
  /** The number to watch; the validation's loss, or the training's, when absent. */
  readonly monitor: string | undefined
  /** Whether smaller or larger is better; what the metric says when absent. */
  readonly better: BetterWhen | undefined
  /** The learning rate after an epoch in which the number was `value`. */
  observe(value: number, better: BetterWhen): (lr: number) => number
  /** Everything needed to go on. */
  state(): PlateauState
  /** Goes on from a state. */
  restore(state: PlateauState): void
}

/** Where a {@link PlateauSchedule} stands. */
export interface PlateauState {
  /** The best number so far; null before the first. */
  best: number | null
  /** Epochs without improvement. */
  badEpochs: number
  /** Epochs left in which nothing is counted. */
  cooldownLeft: number
}

const OPTIONS: OptionNames<ReduceLROnPlateauOptions> = {
  ...{ monitor: true, better: true, factor: true, patience: true, threshold: true },
  ...{ thresholdMode: true, cooldown: true, minLr: true, eps: true },
}

/**
 * Multiplies the learning rate by `factor` when a number has stopped improving, after `torch.optim.lr_scheduler.ReduceLROnPlateau`.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * await fit(model, { optimizer, train, validation, schedule: reduceLROnPlateau({ factor: 0.5, patience: 2 }) })
 * ```
 */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): PlateauSchedule {
  refuseOptions('reduceLROnPlateau()', options, OPTIONS)
  const { monitor, better, factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = 'rel' } = options
  const { cooldown = 0, minLr = 0, eps = 1e-8 } = options
  checkBetterWhen('reduceLROnPlateau', better)
  requireNonNegative('reduceLROnPlateau', { factor, patience, threshold, cooldown, minLr, eps })
  if (factor >= 1) throw new TrainOptionError(`reduceLROnPlateau: factor is ${factor}, expected a number under 1`)
  if (thresholdMode !== 'rel' && thresholdMode !== 'abs') {
    throw new TrainOptionError(
      `reduceLROnPlateau: thresholdMode is ${JSON.stringify(thresholdMode)}, expected 'rel' or 'abs'`,
    )
  }
  let state: PlateauState = { best: null, badEpochs: 0, cooldownLeft: 0 }
  const isBetter = (value: number, best: number | null, when: BetterWhen): boolean => {
    if (best === null) return when === 'lower' ? value < Number.POSITIVE_INFINITY : value > Number.NEGATIVE_INFINITY
    const [sign, margin] = [when === 'lower' ? -1 : 1, thresholdMode === 'rel' ? threshold * best : threshold]
    return when === 'lower' ? value < best + sign * margin : value > best + sign * margin
  }
  return {
    monitor,
    better,
    observe(value, when) {
      if (isBetter(value, state.best, when)) {
        state.best = value
        state.badEpochs = 0
      } else {
        state.badEpochs += 1
      }
      if (state.cooldownLeft > 0) {
        state.cooldownLeft -= 1
        state.badEpochs = 0
      }
      if (state.badEpochs <= patience) return (lr) => lr
      state.cooldownLeft = cooldown
      state.badEpochs = 0
      return (lr) => {
        const next = Math.max(lr * factor, minLr)
        return lr - next > eps ? next : lr
      }
    },
    state: () => ({ ...state }),
    restore(given) {
      state = { ...given }
    },
  }
}
