import { refuseUnknownOptions } from '@rowwise/errors'
import { KerasUnsupportedError } from '../errors'

/** How {@link toKeras} and {@link toLayersArtifacts} write. */
export interface WriteOptions {
  /** Free texts that the file keeps; {@link kerasMetadata} reads them. */
  metadata?: Readonly<Record<string, string>>
}

/** The texts, after the options were checked. */
export function metadataOf(caller: string, options: WriteOptions): Readonly<Record<string, string>> {
  refuseUnknownOptions(caller, options, { metadata: true }, KerasUnsupportedError)
  return options.metadata ?? {}
}
