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

/** A checkpoint that is missing, damaged or no checkpoint. */
export class CheckpointReadError extends RowwiseError {
  readonly code = 'CHECKPOINT_READ'
}

/** A checkpoint of another run than the one that is to go on from it. */
export class CheckpointMismatchError extends RowwiseError {
  readonly code = 'CHECKPOINT_MISMATCH'
}

/** A checkpoint that could not be written: a full disk, a directory that may not be written to. */
export class CheckpointWriteError extends RowwiseError {
  readonly code = 'CHECKPOINT_WRITE'
}

/** A loss or a weight that became NaN or infinite. */
export class NonFiniteError extends RowwiseError {
  readonly code = 'NOT_FINITE'
}

/** A source of batches that gave none: it is empty, or was used up by an earlier epoch. */
export class EmptySourceError extends RowwiseError {
  readonly code = 'SOURCE_EMPTY'
}
