import { FIELDS } from '../../generated/job'
import type { Arena, Block } from './arena'

/** A field of the job that the kernels read; kernels/job.h says what each is. */
export type Field = keyof typeof FIELDS

const JOB_BYTES = 4 * Object.keys(FIELDS).length

/** A job in the kernels' memory: sizes, and the addresses of arrays. */
export class Job {
  /** Its address. */
  readonly at: number
  private readonly block: Block
  private readonly words: Int32Array
  private readonly views: Partial<Record<Field, Float32Array>> = {}
  private arrays: Block | null = null

  constructor(private readonly arena: Arena) {
    this.block = arena.allocate(JOB_BYTES)
    this.at = this.block.at
    // Shared memory stays where it is when it grows, so views remain valid.
    this.words = new Int32Array(arena.memory.buffer, this.at, JOB_BYTES / 4).fill(0)
  }

  /** Sets a number, an address or, as 0 or 1, a flag. */
  set(field: Field, value: number | boolean): void {
    this.words[FIELDS[field]] = Number(value)
  }

  /** The number or address in a field. */
  get(field: Field): number {
    return this.words[FIELDS[field]]
  }

  /**
   * Allocates the arrays that `plan` places, on cache lines of their own.
   *
   * @throws KernelMemoryError when there is not enough memory
   */
  allocate(plan: (job: number, base: number) => number): void {
    this.arrays = this.arena.allocate(plan(this.at, 0))
    plan(this.at, this.arrays.at)
  }

  /** The first `length` floats of an array. */
  floats(field: Field, length: number): Float32Array {
    this.views[field] ??= new Float32Array(this.arena.memory.buffer, this.get(field), length)
    return this.views[field]
  }

  /** The first `length` integers of an array. */
  integers(field: Field, length: number): Int32Array {
    return new Int32Array(this.arena.memory.buffer, this.get(field), length)
  }

  /** Returns the memory. */
  dispose(): void {
    this.arena.release(this.block)
    if (this.arrays) this.arena.release(this.arrays)
  }
}
