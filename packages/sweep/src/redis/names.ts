/** One queue for all sets of jobs: any worker takes any job. */
export const QUEUE = 'rowwise'

/** Where a set of jobs is: its definition, a hash of outcomes, files for all jobs, and what each job left. */
export const keysOf = (name: string) => ({
  definition: `rowwise:set:${name}:definition`,
  outcomes: `rowwise:set:${name}:outcomes`,
  shared: `rowwise:set:${name}:shared`,
  files: (key: string) => `rowwise:set:${name}:files:${key}`,
})

/** The names of all sets. */
export const SETS = 'rowwise:sets'

/** A job's id in the queue. Names have no '/', so a set's jobs can be told from another's. */
export const jobId = (name: string, key: string): string => `${name}/${key}`
