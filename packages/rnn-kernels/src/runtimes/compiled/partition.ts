import { GATES } from '../../cell'
import type { LinearShape, RecurrentShape } from '../../runtime'

/** Below so many multiply-adds a slice, waking a thread takes longer than it saves. */
const MIN_SLICE_WORK = 1 << 20
/** Slices of a pass that is differentiated: as many threads can share it. Each has its own partial weight gradients. */
const MOST_SLICES = 8
/** Rows of such a slice. */
const ROWS_PER_SLICE = 16
/** Floats that all partial weight gradients have together, 1 GiB: the kernels' memory ends at two in WebAssembly. */
const MOST_PARTIAL = 2 ** 28
/** Slices of a small batch, and their fewest rows. One thread reads the weights more often then: 0 to 4 % slower. */
const SMALL_BATCH = [
  { slices: 4, rows: 8 },
  { slices: 2, rows: 4 },
]
/** Rows for kernels/few.h: always up to `always`, up to `most` if each thread would have fewer than `perThread`. */
const FEW_ROWS = { always: 2, most: 8, perThread: 4 }
/** Multiply-adds of a step that another thread is worth: they take some microseconds. */
const MIN_SHARE_WORK = 1 << 16
/** Rows of a slice when nothing is kept: a block of the kernels. */
const ROWS_PER_BLOCK = 66
/** Floats of partial weight gradients that are summed in less time than waking a thread takes. */
const MIN_COLLECTED = 1 << 18
/** Numbers that a loop passes in less time than waking a thread takes. */
const MIN_LOOP = 1 << 17
/** Slices that threads can claim at once; as MOST_SLICES in native/descriptor.h. */
export const MAX_SLICES = 64

/**
 * Slices of a pass that is differentiated. They follow from the shape alone, and their weight gradients are summed in order, so every
 * thread count gives the same bits.
 */
export function trainingSlices(shape: RecurrentShape): number {
  const fewest = SMALL_BATCH.map(({ slices, rows }) => Math.min(slices, shape.batch / rows))
  const wanted = Math.max(...fewest, shape.batch / ROWS_PER_SLICE)
  return atLeastOne(Math.min(MOST_SLICES, MOST_PARTIAL / weightsOf(shape), workOf(shape) / MIN_SLICE_WORK, wanted))
}

/**
 * Parts of the hidden units, if threads share the steps of a few rows; else 0. The results do not depend on it.
 */
export function sharesOf({ cell, batch, time, hiddenSize }: RecurrentShape, threads: number): number {
  const shares = atLeastOne(Math.min(threads, (batch * GATES[cell] * hiddenSize ** 2) / MIN_SHARE_WORK))
  const isShared = shares > 1 && batch <= FEW_ROWS.most && batch < FEW_ROWS.perThread * threads
  return time > 1 && (isShared || batch <= FEW_ROWS.always) ? shares : 0
}

/** Slices of a pass that keeps nothing. Its numbers are the same however the batch is cut, so this may depend on the threads. */
export function predictionSlices(shape: RecurrentShape, threads: number): number {
  const blocks = Math.ceil(shape.batch / ROWS_PER_BLOCK)
  const shared = atLeastOne(Math.min(threads, workOf(shape) / MIN_SLICE_WORK, shape.batch / 2))
  return Math.min(MAX_SLICES, Math.max(blocks, shared))
}

/** The first row of a slice; as `sliceBegin` in kernels/layout.h. */
export function sliceBegin(batch: number, slices: number, slice: number): number {
  return Math.floor((batch * slice) / slices)
}

/** Whether a linear layer is worth another thread. */
export function isSharedLinear({ rows, inFeatures, outFeatures }: LinearShape): boolean {
  return rows * inFeatures * outFeatures >= 2 * MIN_SLICE_WORK
}

/** Whether a loop over so many numbers is worth another thread. */
export function isSharedLoop(count: number): boolean {
  return count >= MIN_LOOP
}

/** Whether the sums of the slices' gradients, of the weights and of a table of `vocabulary` rows, are worth another thread. */
export function isCollectedTogether(shape: RecurrentShape, slices: number, vocabulary: number): boolean {
  const table = vocabulary * GATES[shape.cell] * shape.hiddenSize
  return slices * (weightsOf(shape) + table) > MIN_COLLECTED
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.floor(count))
}

function weightsOf({ cell, inputSize, hiddenSize }: RecurrentShape): number {
  return GATES[cell] * hiddenSize * (inputSize + hiddenSize)
}

function workOf(shape: RecurrentShape): number {
  return shape.batch * shape.time * weightsOf(shape)
}
