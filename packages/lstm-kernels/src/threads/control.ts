// The words that the threads share, beside the kernels' memory.

/** Counts the jobs; workers sleep on it. */
export const GENERATION = 0
/** What to run: an {@link Operation}. */
export const OPERATION = 1
/** Address of the job. */
export const JOB = 2
/** Samples of the batch. */
export const ROWS = 3
/** Slices of the batch. */
export const SLICE_COUNT = 4
/** Slices done; the calling thread sleeps on it. */
export const DONE = 5
/** Slices whose inputs are there; they come in order, while the first are computed. */
export const READY = 6
/** One word per slice: the generation while it is free, minus the generation once a thread has taken it. */
export const CLAIMS = 7
/** The largest number of slices, hence of threads. */
export const MAX_THREADS = 64
/** Workers that run; whoever reports them sleeps on it. */
export const STARTED = CLAIMS + MAX_THREADS
/** Words in all. */
export const CONTROL_WORDS = STARTED + 1

/** What a slice of a job can be. */
export const OPERATIONS = { forward: 0, backward: 1 } as const

/** The name of an operation. */
export type Operation = keyof typeof OPERATIONS

/** Rows of a slice: even numbers of rows, because the kernels take two at a time, as equal as that allows. */
export function sliceRows(rows: number, slices: number, slice: number): { begin: number; end: number } {
  const begin = 2 * Math.ceil((slice * rows) / slices / 2)
  const end = 2 * Math.ceil(((slice + 1) * rows) / slices / 2)
  return { begin: Math.min(rows, begin), end: Math.min(rows, end) }
}
