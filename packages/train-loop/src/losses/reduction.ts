import { mean, sum, type Tensor } from '@tensorflow/tfjs-core'
import { TrainOptionError } from '../errors'

/** How the losses of a batch become one: PyTorch's three ways. */
export type Reduction = 'mean' | 'sum' | 'none'

/** Options of every loss. */
export interface LossOptions {
  /** How the losses of a batch become one. @default 'mean' */
  reduction?: Reduction
}

/** Applies a reduction to the losses of a batch, `[N]`. */
export function reduce(losses: Tensor, { reduction = 'mean' }: LossOptions): Tensor {
  checkReduction(reduction)
  if (reduction === 'none') return losses
  return reduction === 'mean' ? mean(losses) : sum(losses)
}

/** Refuses what is none of the three. */
export function checkReduction(reduction: string): asserts reduction is Reduction {
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new TrainOptionError(`reduction is ${JSON.stringify(reduction)}, expected 'mean', 'sum' or 'none'`)
  }
}
