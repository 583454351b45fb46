import { GATES } from '../../cell'
import { KernelMemoryError } from '../../errors'
import { COLLECT_PARTS, DONE_PHASES } from '../../generated/job'
import type { OptimizerOps, RecurrentShape, RecurrentWeights } from '../../runtime'
import type { ThreadNotes } from '../compiled/compiled-runtime'
import {
  describeSizes,
  type Job,
  type JobNumbers,
  type KernelClock,
  type Machine,
  type NumberField,
  type Pass,
} from '../compiled/machine'
import { sliceBegin } from '../compiled/partition'
import { losses } from '../js/softmax'
import { wasmAdam } from './adam'
import { Arena } from './arena'
import { WasmLinear } from './linear'
import { instantiate, type KernelExports } from './module'
import type { Operation } from './threads/control'
import { ThreadPool } from './threads/pool'
import { WasmJob } from './wasm-job'

/** As `stack-size` in build-wasm.mjs. */
const STACK_BYTES = 16384

/** The kernels index floats with 32 bits, and their memory ends at 2 GiB. */
const MOST_FLOATS = 2 ** 29

/** What packing makes of weights. */
const PACKED = ['forward', 'bias', 'transposedHh', 'transposedIh'] as const

/** Runs the kernels as WebAssembly, in a memory of their own. */
export class WasmMachine implements Machine {
  readonly linear: WasmLinear
  readonly losses = losses
  readonly optimize: OptimizerOps = { adam: (sizes) => wasmAdam(this.module, sizes, this.clock) }
  private readonly arena: Arena
  private readonly kernels: KernelExports
  private readonly stacks: number
  private pool: ThreadPool | null = null
  private disposed = false

  constructor(
    private readonly module: WebAssembly.Module,
    private readonly mostThreads: number,
    private readonly notes: ThreadNotes,
    private readonly clock: KernelClock,
    maxPages?: number,
  ) {
    this.arena = new Arena(maxPages)
    this.kernels = instantiate(module, this.arena.memory)
    this.linear = new WasmLinear(this.arena, this.kernels, mostThreads, (...job) => this.run(...job))
    this.stacks = this.arena.allocate(STACK_BYTES * mostThreads).at
  }

  threads(): number {
    if (this.mostThreads > 1) this.pool ??= this.startPool()
    return this.pool?.running ?? 1
  }

  multiplyAdds(rounds: number): number {
    return this.kernels.multiplyAdds(rounds)
  }

  dispose(): void {
    this.disposed = true
    this.pool?.dispose()
    this.pool = null
  }

  newJob(kind: 'pass' | 'weights', numbers: JobNumbers): Job {
    requireIndexable(numbers)
    const { planPass, planWeights } = this.kernels
    return new WasmJob(this.arena, numbers, kind === 'pass' ? planPass : planWeights)
  }

  pack(weights: Job, { cell, inputSize, hiddenSize }: RecurrentShape, values: RecurrentWeights): void {
    const rows = GATES[cell] * hiddenSize
    this.clock.time(() => {
      weights.floats('weightIh', rows * inputSize).set(values.weightIh)
      weights.floats('weightHh', rows * hiddenSize).set(values.weightHh)
      if (values.biasIh && values.biasHh) {
        weights.floats('biasIh', rows).set(values.biasIh)
        weights.floats('biasHh', rows).set(values.biasHh)
      }
      this.kernels.pack((weights as WasmJob).at)
    })
  }

  forward(pass: Pass, x: Float32Array, together: boolean): void {
    const { batch, time, inputSize } = pass.shape
    const { slices, shares, hasLengths } = pass.use
    const row = time * inputSize
    const copyRows = (begin: number, end: number): void =>
      pass.job.floats('x', batch * row).set(x.subarray(begin * row, end * row), begin * row)
    const isFed = !hasLengths && shares === 0 // or slices read rows of any place
    if (!isFed) copyRows(0, batch)
    // Rows are copied in while the first slices are computed. That time is not the kernels'.
    const feed = (slice: number): void =>
      this.clock.pause(() => copyRows(sliceBegin(batch, slices, slice), sliceBegin(batch, slices, slice + 1)))
    const job = readyJob(pass)
    this.kernels.begin(job)
    const phases = shares > 0 ? pass.job.integers('phases', DONE_PHASES + 1) : undefined
    const progress = (): number => (phases ? Atomics.load(phases, DONE_PHASES) : 0)
    this.run('forward', job, shares || slices, together, isFed ? feed : undefined, progress)
  }

  backward(pass: Pass, dOutput: Float32Array | undefined, together: boolean, collectTogether: boolean): void {
    if (dOutput) pass.job.floats('dOutput', dOutput.length).set(dOutput)
    const job = readyJob(pass)
    this.run('backward', job, pass.use.slices, together)
    this.run('collect', job, COLLECT_PARTS, collectTogether)
  }

  /**
   * Runs a kernel on all slices of a job, on all threads or on this one.
   *
   * @param job its address
   */
  private run(
    operation: Operation,
    job: number,
    slices: number,
    together: boolean,
    feed?: (slice: number) => void,
    progress?: () => number,
  ): void {
    this.clock.time(() => {
      if (together) {
        this.pool ??= this.startPool()
        this.pool.run(operation, job, slices, feed, progress)
        return
      }
      for (let slice = 0; slice < slices; slice++) {
        feed?.(slice)
        this.kernels[operation](job, slice, 0)
      }
    })
  }

  private startPool(): ThreadPool {
    const { module, kernels, arena, notes } = this
    const stack = (thread: number): number => this.stacks + STACK_BYTES * (thread + 1)
    const context = { module, kernels, memory: arena.memory, stack }
    // A pass that was saved before the runtime was replaced may still be differentiated, on this thread alone.
    return new ThreadPool(context, this.disposed ? 0 : this.mostThreads - 1, notes.onLoss, notes.onObstacle)
  }
}

/** The address of a pass's job, which reads the packed weights where they are. */
function readyJob(pass: Pass): number {
  const job = pass.job as WasmJob
  job.borrow(pass.weights as WasmJob, PACKED)
  return job.at
}

function requireIndexable(numbers: JobNumbers): void {
  const { batch, time, inputSize, hiddenSize, vocabulary = 0 } = numbers as Record<NumberField, number>
  const weights = 4 * (hiddenSize + 8) * (inputSize + hiddenSize + 16 + vocabulary)
  const sequence = batch * time * (inputSize + hiddenSize + (numbers.save ? 6 * (hiddenSize + 8) + inputSize : 0))
  const floats = Math.max(sequence, weights * (numbers.save ? Number(numbers.slices) : 1))
  if (floats < MOST_FLOATS) return
  throw new KernelMemoryError(`${describeSizes(numbers)} needs more than the 2 GiB of the kernels; use smaller batches`)
}
