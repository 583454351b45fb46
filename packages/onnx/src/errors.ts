import { RowwiseError } from '@rowwise/errors'

/** A file that is not an ONNX model, or is broken. */
export class OnnxError extends RowwiseError {
  readonly code = 'ONNX_INVALID'
}

/** A model, or a file, with something that the other side does not have. */
export class OnnxUnsupportedError extends RowwiseError {
  readonly code = 'ONNX_UNSUPPORTED'

  /** The operations of the file that Rowwise does not have, where that is why. */
  readonly operations: readonly string[]

  constructor(message: string, options: { cause?: unknown; operations?: readonly string[] } = {}) {
    super(message, options)
    this.operations = options.operations ?? []
  }
}
