/** What the pool sends to a process. */
export interface ChildTask {
  /** The module's address. */
  module: string
  kind: string
  data: Readonly<Record<string, unknown>>
  directory: string
  shared: string
}

/** Asks a job to end. */
export const STOP = 'rowwise:stop'
