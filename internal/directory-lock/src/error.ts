import { RowwiseError } from '@rowwise/errors'

/** A directory that another program, or another run of this one, writes into. */
export class DirectoryInUseError extends RowwiseError {
  readonly code = 'DIRECTORY_IN_USE'
}
