import { requireNonNegative } from '../checks'
import { TrainOptionError } from '../errors'
import { refuseScheduleOptions, requireCount, type Schedule, type ScheduleOptions, schedule } from './schedule'

/** Half a cosine from `from` to `to`, at a share of the way. */
function anneal(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2
}

/** Options of {@link cosineAnnealingLR}. */
export interface CosineAnnealingLROptions extends ScheduleOptions {
  /** The epoch, or step, of the smallest learning rate. */
  tMax: number
  /** The smallest learning rate. @default 0 */
  etaMin?: number
}

/**
 * Lets the learning rate fall along half a cosine from the initial one to `etaMin` at `tMax`, after
 * `torch.optim.lr_scheduler.CosineAnnealingLR` (Loshchilov and Hutter 2017, equation 5).
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const schedule = cosineAnnealingLR({ tMax: 10, etaMin: 1e-5 })
 * ```
 */
export function cosineAnnealingLR(options: CosineAnnealingLROptions): Schedule {
  refuseScheduleOptions('cosineAnnealingLR', options, { tMax: true, etaMin: true })
  const { tMax, etaMin = 0 } = options
  requireCount('cosineAnnealingLR', { tMax })
  requireNonNegative('cosineAnnealingLR', { etaMin })
  return schedule('cosineAnnealingLR', options, (at, initialLr) => anneal(initialLr, etaMin, at / tMax))
}

/** Options of {@link cosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends ScheduleOptions {
  /** Epochs, or steps, until the first restart. */
  t0: number
  /** How many times longer each stretch is than the one before. @default 1 */
  tMult?: number
  /** The smallest learning rate. @default 0 */
  etaMin?: number
}

/**
 * {@link cosineAnnealingLR} that begins anew after `t0`, then after longer and longer stretches, after
 * `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts` (Loshchilov and Hutter 2017).
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range.
 * @example
 * ```ts
 * const schedule = cosineAnnealingWarmRestarts({ t0: 4, tMult: 2 })
 * ```
 */
export function cosineAnnealingWarmRestarts(options: CosineAnnealingWarmRestartsOptions): Schedule {
  refuseScheduleOptions('cosineAnnealingWarmRestarts', options, { t0: true, tMult: true, etaMin: true })
  const { t0, tMult = 1, etaMin = 0 } = options
  requireCount('cosineAnnealingWarmRestarts', { t0, tMult })
  requireNonNegative('cosineAnnealingWarmRestarts', { etaMin })
  return schedule('cosineAnnealingWarmRestarts', options, (at, initialLr) => {
    let [since, stretch] = [at, t0]
    if (tMult === 1) since = at % t0
    while (tMult > 1 && since >= stretch) {
      since -= stretch
      stretch *= tMult
    }
    return anneal(initialLr, etaMin, since / stretch)
  })
}

/** Options of {@link oneCycleLR}. */
export interface OneCycleLROptions extends ScheduleOptions {
  /** The largest learning rate. */
  maxLr: number
  /** Steps, or epochs, of the whole run. */
  totalSteps: number
  /** The share of them that the learning rate rises in. @default 0.3 */
  pctStart?: number
  /** The first learning rate is `maxLr` divided by this. @default 25 */
  divFactor?: number
  /** The last is the first divided by this. @default 1e4 */
  finalDivFactor?: number
  /** What time counts. @default 'step' */
  by?: 'epoch' | 'step'
}

/**
 * One rise of the learning rate along half a cosine and one fall, after `torch.optim.lr_scheduler.OneCycleLR` (Smith and Topin 2018)
 * without its cycle of the momentum. The optimizer's own learning rate is not read.
 *
 * @throws {@link TrainOptionError} for an unknown option or one out of range; in a run, when there are more than `totalSteps` steps.
 * @example
 * ```ts
 * const schedule = oneCycleLR({ maxLr: 0.01, totalSteps: 10 * loader.length })
 * ```
 */
export function oneCycleLR(options: OneCycleLROptions): Schedule {
  const known = { maxLr: true, totalSteps: true, pctStart: true, divFactor: true, finalDivFactor: true } as const
  refuseScheduleOptions('oneCycleLR', options, known)
  const { maxLr, totalSteps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, by = 'step' } = options
  requireCount('oneCycleLR', { totalSteps })
  requireNonNegative('oneCycleLR', { maxLr, pctStart })
  if (pctStart > 1) throw new TrainOptionError(`oneCycleLR: pctStart is ${pctStart}, expected a share from 0 to 1`)
  if (!(divFactor > 0 && finalDivFactor > 0)) {
    throw new TrainOptionError(
      `oneCycleLR: divFactor ${divFactor}, finalDivFactor ${finalDivFactor}: expected both over 0`,
    )
  }
  const first = maxLr / divFactor
  const [top, end] = [pctStart * totalSteps - 1, totalSteps - 1]
  return schedule('oneCycleLR', { by }, (at) => {
    if (at > end) {
      throw new TrainOptionError(`oneCycleLR: totalSteps is ${totalSteps}, but the run goes on; count every step of it`)
    }
    if (at <= top) return top === 0 ? maxLr : anneal(first, maxLr, at / top) // a rise of one step is at its top
    return anneal(maxLr, first / finalDivFactor, (at - top) / (end - top))
  })
}
