import { RowwiseError } from '@rowwise/errors'

/** Something other than tfjs-layers, or one of its models, was passed. */
export class TfjsLayersError extends RowwiseError {
  readonly code = 'TFJS_LAYERS_INVALID'
}
