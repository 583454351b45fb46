import { mean, sum, type Tensor } from '@tensorflow/tfjs-core'
import { refuseOptions } from '../checks'
import { TrainOptionError } from '../errors'

/** How the losses of a batch become one: PyTorch's three ways. */
export type Reduction = 'mean' | 'sum' | 'none'

/** Options of every loss. */
export interface LossOptions {
  /** How the losses of a batch become one. @default 'mean' */
  reduction?: Reduction
}

/** The reduction of a loss's options. @throws {@link TrainOptionError} for an unknown option or reduction. */
export function reductionOf(loss: string, options: LossOptions): Reduction {
  refuseOptions(`${loss}()`, options, { reduction: true })
  const { reduction = 'mean' } = options
  checkReduction(reduction)
  return reduction
}

/** Applies a reduction to the losses of a batch, `[N]`. */
export function reduce(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return losses
  return reduction === 'mean' ? mean(losses) : sum(losses)
}

function checkReduction(reduction: string): asserts reduction is Reduction {
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new TrainOptionError(`reduction is ${JSON.stringify(reduction)}, expected 'mean', 'sum' or 'none'`)
  }
}
