import { refuseOptions } from './checks'
import { TrainOptionError } from './errors'

/** The learning rate of an epoch (counted from 0), given the one that the run began with. */
export type Schedule = (epoch: number, initialLr: number) => number

/**
 * Multiplies the learning rate by `gamma` every `stepSize` epochs, after `torch.optim.lr_scheduler.StepLR`.
 *
 * @throws {@link TrainOptionError} for an unknown option, or unless `stepSize` is a positive integer.
 */
export function stepLR(options: { stepSize: number; gamma?: number }): Schedule {
  refuseOptions('stepLR()', options, { stepSize: true, gamma: true })
  const { stepSize, gamma = 0.1 } = options
  if (!Number.isInteger(stepSize) || stepSize < 1) {
    throw new TrainOptionError(`stepLR: stepSize is ${stepSize}, expected an integer of at least 1`)
  }
  return (epoch, initialLr) => initialLr * gamma ** Math.floor(epoch / stepSize)
}

/**
 * Lets the learning rate fall along half a cosine from the initial one to `etaMin` at epoch `tMax`, after
 * `torch.optim.lr_scheduler.CosineAnnealingLR` (Loshchilov and Hutter 2017, equation 5).
 *
 * @throws {@link TrainOptionError} for an unknown option, or unless `tMax` is a positive integer.
 */
export function cosineAnnealingLR(options: { tMax: number; etaMin?: number }): Schedule {
  refuseOptions('cosineAnnealingLR()', options, { tMax: true, etaMin: true })
  const { tMax, etaMin = 0 } = options
  if (!Number.isInteger(tMax) || tMax < 1) {
    throw new TrainOptionError(`cosineAnnealingLR: tMax is ${tMax}, expected an integer of at least 1`)
  }
  return (epoch, initialLr) => etaMin + ((initialLr - etaMin) * (1 + Math.cos((Math.PI * epoch) / tMax))) / 2
}
