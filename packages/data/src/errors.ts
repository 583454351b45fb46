import { RowwiseError } from '@rowwise/errors'

/** Data that do not belong together: columns of different lengths, targets that are no class, too few samples. */
export class DatasetError extends RowwiseError {
  readonly code = 'DATASET_INVALID'
}

/** An option outside of what it allows. */
export class LoaderOptionError extends RowwiseError {
  readonly code = 'LOADER_OPTION'
}

/** A file or a directory that is not there or cannot be read. */
export class DataNotFoundError extends RowwiseError {
  readonly code = 'DATA_NOT_FOUND'
}

/** A text of values separated by commas that is ragged, has another separator, or has no number where one is expected. */
export class CSVError extends RowwiseError {
  readonly code = 'CSV_INVALID'
}

/** Bytes that are not a well-formed NumPy file of numbers in C order. */
export class NpyError extends RowwiseError {
  readonly code = 'NPY_INVALID'
}

/** A picture that cannot be read, or whose size is not that of the others. */
export class ImageError extends RowwiseError {
  readonly code = 'IMAGE_INVALID'
}
