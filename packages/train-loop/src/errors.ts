import { RowwiseError } from '@rowwise/errors'

/** Outputs and targets whose shapes or values do not belong together. */
export class TargetError extends RowwiseError {
  readonly code = 'TARGET_INVALID'
}

/** An option outside of what it allows. */
export class TrainOptionError extends RowwiseError {
  readonly code = 'TRAIN_OPTION'
}

/** An optimizer state whose parameters are not the optimizer's. */
export class OptimizerStateError extends RowwiseError {
  readonly code = 'OPTIMIZER_STATE'
}
