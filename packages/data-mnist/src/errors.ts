import { RowwiseError } from '@rowwise/errors'

/** Bytes that are not a well-formed IDX file of the expected kind. */
export class IdxError extends RowwiseError {
  readonly code = 'IDX_INVALID'
}

/** Bytes that are not one well-formed gzip member of the expected size. */
export class GzipError extends RowwiseError {
  readonly code = 'GZIP_INVALID'
}

/** A file whose SHA-256 is not the published one. */
export class ChecksumError extends RowwiseError {
  readonly code = 'CHECKSUM_MISMATCH'
}

/** A data file, or the package that ships it, that is not there or cannot be read. */
export class DataNotFoundError extends RowwiseError {
  readonly code = 'DATA_NOT_FOUND'
}

/** Images and labels that do not belong together, or labels outside the classes. */
export class DatasetError extends RowwiseError {
  readonly code = 'DATASET_INVALID'
}

/** An option outside of what it allows. */
export class LoaderOptionError extends RowwiseError {
  readonly code = 'LOADER_OPTION'
}

/** A file that no mirror delivered; the message has each one's reason. */
export class DownloadError extends RowwiseError {
  readonly code = 'DOWNLOAD_FAILED'
}

/** A cache that cannot be read or written: a full disk, a missing right, a directory in the place of a file. */
export class CacheError extends RowwiseError {
  readonly code = 'CACHE_UNUSABLE'
}
