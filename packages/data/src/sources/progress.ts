/** How far a source was read. */
export interface ReadProgress {
  /** What is read, e.g. the file's name. */
  source: string
  /** Bytes, or files, that were read. */
  done: number
  /** Of how many; undefined where that is not known. */
  total: number | undefined
}

/** What every source can be told. */
export interface ReadOptions {
  /** Called now and then. */
  onProgress?(progress: ReadProgress): void
  /** Stops reading, with its reason as the error. */
  signal?: AbortSignal
}
