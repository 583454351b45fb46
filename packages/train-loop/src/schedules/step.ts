import { requireNonNegative } from '../checks'
import { TrainOptionError } from '../errors'
import { refuseScheduleOptions, requireCount, type Schedule, type ScheduleOptions, schedule } from './schedule'

/** Options of {@link stepLR}. */
export interface StepLROptions extends ScheduleOptions {
  /** Epochs, or steps, from one change to the next. */
  stepSize: number
  /** The factor of each change. @default 0.1 */
  gamma?: number
}

/**
 * Multiplies the learning rate by `gamma` every `stepSize` epochs, after `torch.optim.lr_scheduler.StepLR`.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * await fit(model, { optimizer, train, schedule: stepLR({ stepSize: 3, gamma: 0.5 }) })
 * ```
 */
export function stepLR(options: StepLROptions): Schedule {
  refuseScheduleOptions('stepLR', options, { stepSize: true, gamma: true })
  const { stepSize, gamma = 0.1 } = options
  requireCount('stepLR', { stepSize })
  requireNonNegative('stepLR', { gamma })
  return schedule('stepLR', options, (at, initialLr) => initialLr * gamma ** Math.floor(at / stepSize))
}

/** Options of {@link multiStepLR}. */
export interface MultiStepLROptions extends ScheduleOptions {
  /** The epochs, or steps, of the changes. */
  milestones: readonly number[]
  /** The factor of each change. @default 0.1 */
  gamma?: number
}

/**
 * Multiplies the learning rate by `gamma` at each milestone, after `torch.optim.lr_scheduler.MultiStepLR`.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const schedule = multiStepLR({ milestones: [30, 80], gamma: 0.1 })
 * ```
 */
export function multiStepLR(options: MultiStepLROptions): Schedule {
  refuseScheduleOptions('multiStepLR', options, { milestones: true, gamma: true })
  const { milestones, gamma = 0.1 } = options
  requireNonNegative('multiStepLR', { gamma })
  if (!Array.isArray(milestones) || !milestones.every((at) => Number.isInteger(at) && at >= 0)) {
    throw new TrainOptionError(`multiStepLR: milestones is ${String(milestones)}, expected an array of integers`)
  }
  const passed = (at: number): number => milestones.filter((milestone) => milestone <= at).length
  return schedule('multiStepLR', options, (at, initialLr) => initialLr * gamma ** passed(at))
}

/** Options of {@link exponentialLR}. */
export interface ExponentialLROptions extends ScheduleOptions {
  /** The factor of each epoch or step. */
  gamma: number
}

/**
 * Multiplies the learning rate by `gamma` every epoch, after `torch.optim.lr_scheduler.ExponentialLR`.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const schedule = exponentialLR({ gamma: 0.9 })
 * ```
 */
export function exponentialLR(options: ExponentialLROptions): Schedule {
  refuseScheduleOptions('exponentialLR', options, { gamma: true })
  const { gamma } = options
  requireNonNegative('exponentialLR', { gamma })
  return schedule('exponentialLR', options, (at, initialLr) => initialLr * gamma ** at)
}

/** Options of {@link linearLR}. */
export interface LinearLROptions extends ScheduleOptions {
  /** The first factor. @default 1/3 */
  startFactor?: number
  /** The last factor. @default 1 */
  endFactor?: number
  /** Epochs, or steps, until it is reached. @default 5 */
  totalIters?: number
}

/**
 * Changes the factor of the learning rate evenly from `startFactor` to `endFactor`, after `torch.optim.lr_scheduler.LinearLR`: a warm-up.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const schedule = linearLR({ startFactor: 0.1, totalIters: 500, by: 'step' })
 * ```
 */
export function linearLR(options: LinearLROptions = {}): Schedule {
  refuseScheduleOptions('linearLR', options, { startFactor: true, endFactor: true, totalIters: true })
  const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options
  requireCount('linearLR', { totalIters })
  requireNonNegative('linearLR', { startFactor, endFactor })
  const factor = (at: number): number => startFactor + (endFactor - startFactor) * Math.min(at / totalIters, 1)
  return schedule('linearLR', options, (at, initialLr) => initialLr * factor(at))
}

/** Options of {@link polynomialLR}. */
export interface PolynomialLROptions extends ScheduleOptions {
  /** Epochs, or steps, until the learning rate is 0. @default 5 */
  totalIters?: number
  /** The exponent; 1 is a straight line. @default 1 */
  power?: number
}

/**
 * Lets the learning rate fall to 0 as (1 − t/totalIters)^power, after `torch.optim.lr_scheduler.PolynomialLR`.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const schedule = polynomialLR({ totalIters: 20, power: 2 })
 * ```
 */
export function polynomialLR(options: PolynomialLROptions = {}): Schedule {
  refuseScheduleOptions('polynomialLR', options, { totalIters: true, power: true })
  const { totalIters = 5, power = 1 } = options
  requireCount('polynomialLR', { totalIters })
  requireNonNegative('polynomialLR', { power })
  return schedule('polynomialLR', options, (at, lr) => lr * (1 - Math.min(at, totalIters) / totalIters) ** power)
}
