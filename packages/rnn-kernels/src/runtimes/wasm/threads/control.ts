// The words that the threads share, beside the kernels' memory.

import { MAX_SLICES } from '../../compiled/partition'

/** Counts the jobs; workers sleep on it. */
export const GENERATION = 0
/** What to run: an {@link Operation}. */
export const OPERATION = 1
/** Address of the job. */
export const JOB = 2
/** Slices of the job. */
export const SLICE_COUNT = 3
/** Slices done; the calling thread sleeps on it. */
export const DONE = 4
/** Slices whose inputs are there; they come in order, while the first are computed. */
export const READY = 5
/** One word per slice: the generation while it is free, minus the generation once a thread has claimed it. */
export const CLAIMS = 6
/** Workers that run; whoever reports them sleeps on it. */
export const STARTED = CLAIMS + MAX_SLICES
/** Words in all. */
export const CONTROL_WORDS = STARTED + 1

/** The kernels that run in slices. */
export const OPERATIONS = ['forward', 'backward', 'collect', 'linear', 'linearGradients'] as const

/** The name of an operation. */
export type Operation = (typeof OPERATIONS)[number]
