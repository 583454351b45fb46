import { RowwiseError } from '@rowwise/errors'

/** Bytes that are not a well-formed safetensors file, or tensors that cannot be written as one. */
export class SafetensorsError extends RowwiseError {
  readonly code = 'SAFETENSORS_INVALID'
}
