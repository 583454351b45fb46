import type { FIELDS, NUMBERS } from '../../generated/job'
import type { LinearOps, LossOps, OptimizerOps, RecurrentShape, RecurrentWeights } from '../../runtime'

/** A field of a job; kernels/job.h says what each is. */
export type Field = keyof typeof FIELDS
/** A field that is a number or a flag. */
export type NumberField = (typeof NUMBERS)[number]
/** A field that is an array. */
export type ArrayField = Exclude<Field, NumberField>
/** What a job is laid out by; absent ones are 0. */
export type JobNumbers = Partial<Record<NumberField, number | boolean>>

/** What the kernels are told of a pass, or of weights, and its memory. */
export interface Job {
  set(field: NumberField, value: number | boolean): void
  /** The first `length` floats of an array; views of the machine's memory. */
  floats(field: ArrayField, length: number): Float32Array
  /** The first `length` integers of one. */
  integers(field: ArrayField, length: number): Int32Array
  /** Returns the memory. */
  dispose(): void
}

/** What decides how a workspace is laid out, beside the shape of the work. */
export interface WorkspaceUse {
  save: boolean
  wantsOutput: boolean
  hasInitial: boolean
  hasLengths: boolean
  /** Rows of the table of a lookup; 0 without one. */
  vocabulary: number
  slices: number
  /** Parts of the hidden units, if threads share the steps of a few rows; else 0. */
  shares: number
  threads: number
}

/** One pass: its job, that of its weights, and what both were laid out by. */
export interface Pass {
  readonly job: Job
  readonly weights: Job
  readonly shape: RecurrentShape
  readonly use: WorkspaceUse
}

/** How much of the time is spent in kernels, or waiting for other threads. */
export interface KernelClock {
  /** Runs work of the kernels. */
  time(work: () => void): void
  /** Runs other work in the middle of it. */
  pause(work: () => void): void
}

/** What runs the compiled kernels: WebAssembly, or an addon. */
export interface Machine {
  readonly linear: LinearOps
  readonly optimize: OptimizerOps
  readonly losses: LossOps
  /**
   * Memory for a pass or for weights.
   *
   * @throws KernelMemoryError when there is not enough
   */
  newJob(kind: 'pass' | 'weights', numbers: JobNumbers): Job
  /** Brings weights in the order in which the kernels read them. */
  pack(weights: Job, shape: RecurrentShape, values: RecurrentWeights): void
  /** @param together whether other threads are worth waking */
  forward(pass: Pass, x: Float32Array, together: boolean): void
  /**
   * @param dOutput the gradient with respect to the output
   * @param collectTogether whether the sums of the slices' weight gradients are worth another thread
   */
  backward(pass: Pass, dOutput: Float32Array | undefined, together: boolean, collectTogether: boolean): void
  multiplyAdds(rounds: number): number
  /** Threads that run, the calling one included; starts them. */
  threads(): number
  /** Ends the threads. */
  dispose(): void
}

/** The sizes of a pass, for a message. */
export function describeSizes({ batch, time, inputSize, hiddenSize, vocabulary }: JobNumbers): string {
  const read = vocabulary ? `a table of ${vocabulary} vectors` : `${inputSize} features`
  return `a pass of batch ${batch}, ${time} steps, ${read} and ${hiddenSize} hidden units`
}
