import { RowwiseError } from '@rowwise/errors'

/** A file that is not a Keras model, or is broken. */
export class KerasError extends RowwiseError {
  readonly code = 'KERAS_INVALID'
}

/** A model with something that the other side does not have. */
export class KerasUnsupportedError extends RowwiseError {
  readonly code = 'KERAS_UNSUPPORTED'
}
