import { RowwiseError } from '@rowwise/errors'

/** A tensor whose shape does not fit the others. */
export class KernelShapeError extends RowwiseError {
  readonly code = 'SHAPE_MISMATCH'
}

/** A kernel path or thread count that is not allowed, or not possible here. */
export class KernelOptionError extends RowwiseError {
  readonly code = 'KERNEL_OPTION'
}

/** More memory than WebAssembly has; smaller batches need less. */
export class KernelMemoryError extends RowwiseError {
  readonly code = 'KERNEL_MEMORY'
}

/** A backward pass whose forward pass is no longer known, or was differentiated already. */
export class KernelStateError extends RowwiseError {
  readonly code = 'KERNEL_STATE'
}

/** Lengths of rows that are not whole numbers from 1 to the steps of the inputs, one for each row. */
export class KernelLengthsError extends RowwiseError {
  readonly code = 'KERNEL_LENGTHS'
}
