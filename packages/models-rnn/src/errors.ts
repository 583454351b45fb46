import { RowwiseError } from '@rowwise/errors'

/** A tensor whose shape does not fit what receives it. */
export class ShapeError extends RowwiseError {
  readonly code = 'SHAPE_MISMATCH'
}

/** A size, probability or flag outside of what a module allows. */
export class ModuleOptionError extends RowwiseError {
  readonly code = 'MODULE_OPTION'
}

/** A state dict whose names, shapes or values are not the model's. */
export class StateDictError extends RowwiseError {
  readonly code = 'STATE_DICT_MISMATCH'
}
