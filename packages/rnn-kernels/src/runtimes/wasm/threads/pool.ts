import type { KernelExports } from '../module'
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
  SLICE_COUNT,
  STARTED,
} from './control'
import { canSleep, startWorker, type WorkerHandle, whyNotStarted } from './start-worker'

/** The getter of the global takes as long as a small kernel. */
const clock = globalThis.performance

/** Turns of the waiting loop before the calling thread goes to sleep; slices end at almost the same time. */
const SPINS = 2000
/** A slice takes milliseconds; a thread that says nothing for so long is gone. */
const LOST_AFTER_MILLISECONDS = 10_000
/** Waits without progress, about 100 ms each, before a thread counts as lost. */
const LOST_AFTER_WAITS = 80
/** A worker starts in some 20 ms; one that has not by then is not counted. */
const START_MILLISECONDS = 2000

/** What a {@link ThreadPool} works on. */
export interface PoolMemory {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  kernels: KernelExports
  /** Where the stack of worker k begins. */
  stack(thread: number): number
}

/**
 * Runs the slices of a job on several threads. The calling thread takes part: it does whatever slice no worker has claimed
 * yet, so that a worker that starts late, sleeps deep or died never holds up the work.
 */
export class ThreadPool {
  private control = newControl()
  private workers: WorkerHandle[]
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
    for (let index = 0; index < workers; index++) {
      const data = {
        module: context.module,
        memory: context.memory,
        control: this.control,
        stack: context.stack(index + 1),
        thread: index + 1,
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
    const deadline = clock.now() + START_MILLISECONDS
    for (let count = started(); count < workers.length && clock.now() < deadline; count = started()) {
      sleepWhile(control, STARTED, count)
    }
    return 1 + started()
  }

  /**
   * Runs an operation on all slices of a job; returns when all are done.
   *
   * @param feed brings the inputs of a slice, which are all there when it is absent; it must not throw
   * @param progress a number that rises while a slice is computed, where one may take long
   */
  run(operation: Operation, job: number, slices: number, feed?: (slice: number) => void, progress = () => 0): void {
    this.publish(operation, job, slices, feed ? 0 : slices)
    if (feed) {
      for (let slice = 0; slice < slices; slice++) {
        feed(slice)
        Atomics.store(this.control, READY, slice + 1)
      }
    }
    const { kernels } = this.context
    for (let slice = 0; slice < slices; slice++) {
      if (!this.claim(slice)) continue
      kernels[operation](job, slice, 0)
      Atomics.add(this.control, DONE, 1)
    }
    if (!this.waitFor(slices, progress)) this.recover(operation, job, slices)
  }

  /** Ends the workers. */
  dispose(): void {
    for (const worker of this.workers) worker.terminate()
    this.workers = []
  }

  private publish(operation: Operation, job: number, slices: number, ready: number): void {
    const { control } = this
    this.generation = (this.generation % 0x3fffffff) + 1
    Atomics.store(control, OPERATION, OPERATIONS.indexOf(operation))
    Atomics.store(control, JOB, job)
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

  /** Waits until all slices are done; false if neither a slice nor `progress` advances for too long. */
  private waitFor(slices: number, progress: () => number): boolean {
    const { control } = this
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(control, DONE) === slices) return true
    const state = (): number => Atomics.load(control, DONE) + progress()
    // A process that was suspended finds the clock far ahead, but few waits.
    let [before, waits, deadline] = [state(), 0, clock.now() + LOST_AFTER_MILLISECONDS]
    for (let done = Atomics.load(control, DONE); done !== slices; done = Atomics.load(control, DONE)) {
      if (waits > LOST_AFTER_WAITS && clock.now() > deadline) return false
      sleepWhile(control, DONE, done)
      const now = state()
      waits = now === before ? waits + 1 : 0
      if (now !== before) deadline = clock.now() + LOST_AFTER_MILLISECONDS
      before = now
    }
    return true
  }

  /**
   * A thread was lost in the middle of its slice. The other threads are terminated, and this thread computes all slices
   * again from the inputs, which gives the same numbers. No thread is used after that.
   */
  private recover(operation: Operation, job: number, slices: number): void {
    this.dispose()
    this.control = newControl() // should the lost thread wake up once more, it finds nothing to take
    this.onLoss(`a thread stopped in the middle of a ${operation} pass`)
    sleepWhile(this.control, DONE, 0)
    const { kernels } = this.context
    if (operation === 'forward') kernels.begin(job)
    for (let slice = 0; slice < slices; slice++) kernels[operation](job, slice, 0)
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
