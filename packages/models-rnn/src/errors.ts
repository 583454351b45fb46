import { RowwiseError } from '@rowwise/errors'

/** A tensor whose shape does not fit what receives it. */
export class ShapeError extends RowwiseError {
  readonly code = 'SHAPE_MISMATCH'
}

/** An argument that is not a tensor to compute with: disposed, of another dtype, out of reach of the backend, or no tensor. */
export class TensorError extends RowwiseError {
  readonly code = 'TENSOR_INVALID'
}

/** A module that is used after it, or a parameter of it, was disposed. */
export class ModuleDisposedError extends RowwiseError {
  readonly code = 'MODULE_DISPOSED'
}

/** An option's name that a module does not have, or a size, probability or flag outside of what it allows. */
export class ModuleOptionError extends RowwiseError {
  readonly code = 'MODULE_OPTION'
}

/** A module that is not put together as training and saving need it: a part that is not registered, or a name that is taken. */
export class ModuleStructureError extends RowwiseError {
  readonly code = 'MODULE_STRUCTURE'
}

/** A pullback that is taken twice, after its release, or after what it needs has changed. */
export class PullbackError extends RowwiseError {
  readonly code = 'PULLBACK_STATE'
}

/** Lengths of rows that are not whole numbers from 1 to the steps of the inputs, one for each row. */
export class LengthsError extends RowwiseError {
  readonly code = 'LENGTHS_INVALID'
}

/** A state dict whose names, shapes or values are not the model's. */
export class StateDictError extends RowwiseError {
  readonly code = 'STATE_DICT_MISMATCH'

  /** The option `rename` with which the names would fit, where the shapes leave no doubt about it. */
  readonly rename?: Readonly<Record<string, string>>

  constructor(message: string, options: { cause?: unknown; rename?: Readonly<Record<string, string>> } = {}) {
    super(message, options)
    if (options.rename !== undefined) this.rename = options.rename
  }
}
