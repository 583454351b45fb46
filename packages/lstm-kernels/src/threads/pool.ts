import { ROW_BLOCK } from '../job-fields'
import type { KernelExports } from '../wasm/module'
import {
  CLAIMS,
  CONTROL_WORDS,
  DONE,
  GENERATION,
  JOB,
  OPERATION,
  OPERATIONS,
  type Operation,
  READY,
  ROWS,
  SLICE_COUNT,
  STARTED,
  sliceRows,
} from './control'
import { canSleep, startWorker, type WorkerHandle, whyNotStarted } from './start-worker'

/** Turns of the waiting loop before the calling thread goes to sleep; slices end at almost the same time. */
const SPINS = 2000
/** A slice takes milliseconds; a thread that says nothing for so long is gone. */
const LOST_AFTER_MILLISECONDS = 10_000
/** A worker starts in some 20 ms; one that has not by then is not counted. */
const START_MILLISECONDS = 2000

/** What a {@link ThreadPool} works on. */
export interface PoolMemory {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  kernels: KernelExports
  /** Address of the scratch of thread k. */
  tile(thread: number): number
}

/**
 * Runs the slices of a job on several threads. The calling thread takes part: it does whatever slice no worker has taken
 * yet, so that a worker that starts late, sleeps deep or died never holds up the work.
 */
export class ThreadPool {
  private control = newControl()
  private workers: WorkerHandle[]
  private readonly threads: number
  private generation = 0

  /**
   * @param workers how many beside the calling thread
   * @param onLoss told when a thread that ran is gone
   * @param onObstacle told when one does not start
   */
  constructor(
    private readonly context: PoolMemory,
    workers: number,
    private readonly onLoss: (reason: string) => void,
    private readonly onObstacle: (reason: string) => void,
  ) {
    this.workers = []
    this.threads = workers + 1
    for (let index = 0; index < workers; index++) {
      const data = {
        module: context.module,
        memory: context.memory,
        control: this.control,
        tile: context.tile(index + 1),
        threads: this.threads,
        room: ROW_BLOCK * (index + 1),
      }
      try {
        const worker: WorkerHandle = startWorker(data, (reason) => this.forget(worker, reason))
        this.workers.push(worker)
      } catch (error) {
        onObstacle(whyNotStarted(error))
        return
      }
    }
  }

  /**
   * Threads that run, the calling one included; waits a moment for those that are starting. Where this thread may not sleep, as on a
   * page, those count until they fail.
   */
  get running(): number {
    const { control, workers } = this
    const started = (): number => Math.min(workers.length, Atomics.load(control, STARTED))
    if (!canSleep()) return 1 + workers.length
    const deadline = performance.now() + START_MILLISECONDS
    for (let count = started(); count < workers.length && performance.now() < deadline; count = started()) {
      sleepWhile(control, STARTED, count)
    }
    return 1 + started()
  }

  /**
   * Runs an operation on all rows of a job, in so many slices; returns when all are done.
   *
   * @param feed brings the inputs of rows begin … end − 1, which are all there when it is absent; it must not throw
   */
  run(
    operation: Operation,
    job: number,
    rows: number,
    slices: number,
    feed?: (begin: number, end: number) => void,
  ): void {
    this.publish(operation, job, rows, slices, feed ? 0 : slices)
    if (feed) {
      for (let slice = 0; slice < slices; slice++) {
        const { begin, end } = sliceRows(rows, slices, slice)
        feed(begin, end)
        Atomics.store(this.control, READY, slice + 1)
      }
    }
    for (let slice = 0; slice < slices; slice++) {
      if (!this.claim(slice)) continue
      this.runSlice(operation, job, rows, slices, slice)
      Atomics.add(this.control, DONE, 1)
    }
    if (!this.waitFor(slices)) this.recover(operation, job, rows, slices)
  }

  /** Ends the workers. */
  dispose(): void {
    for (const worker of this.workers) worker.terminate()
    this.workers = []
  }

  private publish(operation: Operation, job: number, rows: number, slices: number, ready: number): void {
    const { control } = this
    this.generation = (this.generation % 0x3fffffff) + 1
    Atomics.store(control, OPERATION, OPERATIONS[operation])
    Atomics.store(control, JOB, job)
    Atomics.store(control, ROWS, rows)
    Atomics.store(control, SLICE_COUNT, slices)
    Atomics.store(control, DONE, 0)
    Atomics.store(control, READY, ready)
    for (let slice = 0; slice < slices; slice++) Atomics.store(control, CLAIMS + slice, this.generation)
    Atomics.store(control, GENERATION, this.generation)
    if (this.workers.length > 0) Atomics.notify(control, GENERATION)
  }

  private claim(slice: number): boolean {
    const { control, generation } = this
    return Atomics.compareExchange(control, CLAIMS + slice, generation, -generation) === generation
  }

  private runSlice(operation: Operation, job: number, rows: number, slices: number, slice: number): void {
    const { kernels, tile } = this.context
    const { begin, end } = sliceRows(rows, slices, slice)
    if (operation === 'backward') kernels.backward(job, begin, end, slice, tile(0))
    else kernels.forward(job, begin, end, slices > this.threads ? 0 : begin, tile(0))
  }

  /** Whether all slices get done; false when a thread that has taken one falls silent. */
  private waitFor(slices: number): boolean {
    const { control } = this
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(control, DONE) === slices) return true
    const deadline = performance.now() + LOST_AFTER_MILLISECONDS
    for (let done = Atomics.load(control, DONE); done !== slices; done = Atomics.load(control, DONE)) {
      if (performance.now() > deadline) return false
      sleepWhile(control, DONE, done)
    }
    return true
  }

  /**
   * A thread is gone in the middle of its slice. A pass changes nothing that it reads, so all slices are computed anew, which gives the
   * same numbers. No thread is used after that.
   */
  private recover(operation: Operation, job: number, rows: number, slices: number): void {
    this.dispose()
    this.control = newControl() // should the lost thread wake up once more, it finds nothing to take
    this.onLoss(`a thread stopped in the middle of a ${operation} pass`)
    for (let slice = 0; slice < slices; slice++) this.runSlice(operation, job, rows, slices, slice)
  }

  private forget(worker: WorkerHandle, reason: string): void {
    if (!this.workers.includes(worker)) return
    const hadStarted = Atomics.load(this.control, STARTED) >= this.workers.length
    this.workers = this.workers.filter((other) => other !== worker)
    if (hadStarted) this.onLoss(reason)
    else this.onObstacle(reason)
  }
}

function newControl(): Int32Array {
  // A page that is not isolated has no shared arrays, and no second thread either.
  const Buffer = typeof SharedArrayBuffer === 'function' ? SharedArrayBuffer : ArrayBuffer
  return new Int32Array(new Buffer(4 * CONTROL_WORDS))
}

/** Sleeps until the word changes, or for a moment where this thread may not sleep (a browser's main thread). */
function sleepWhile(words: Int32Array, index: number, value: number): void {
  try {
    Atomics.wait(words, index, value, 100)
  } catch {
    for (let spin = 0; spin < SPINS && Atomics.load(words, index) === value; spin++);
  }
}
