import { RowwiseError } from '@rowwise/errors'

/** A backend name or time limit that is not allowed. */
export class BackendOptionError extends RowwiseError {
  readonly code = 'BACKEND_OPTION'
}

/** Two copies of tfjs-core in one program: tensors of one are unknown to the other. */
export class DuplicateCoreError extends RowwiseError {
  readonly code = 'DUPLICATE_CORE'
}
