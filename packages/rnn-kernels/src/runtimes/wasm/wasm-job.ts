import { FIELDS } from '../../generated/job'
import type { ArrayField, Field, Job, JobNumbers, NumberField } from '../compiled/machine'
import type { Arena, Block } from './arena'

const JOB_BYTES = 4 * Object.keys(FIELDS).length

/** A job in the kernels' memory: numbers, and the addresses of arrays. */
export class WasmJob implements Job {
  /** Its address. */
  readonly at: number
  private readonly block: Block
  private readonly words: Int32Array
  private readonly views: Partial<Record<ArrayField, Float32Array>> = {}
  private readonly arrays: Block

  /**
   * @param plan places the arrays from an address on, and returns their bytes
   * @throws KernelMemoryError when there is not enough memory
   */
  constructor(
    private readonly arena: Arena,
    numbers: JobNumbers,
    plan: (job: number, base: number) => number,
  ) {
    this.block = arena.allocate(JOB_BYTES)
    this.at = this.block.at
    // Shared memory stays where it is when it grows, so views remain valid.
    this.words = new Int32Array(arena.memory.buffer, this.at, JOB_BYTES / 4).fill(0)
    for (const [name, value] of Object.entries(numbers)) this.set(name as NumberField, value)
    try {
      this.arrays = arena.allocate(plan(this.at, 0))
    } catch (error) {
      arena.release(this.block)
      throw error
    }
    plan(this.at, this.arrays.at)
  }

  set(field: NumberField, value: number | boolean): void {
    this.words[FIELDS[field]] = Number(value)
  }

  /** Reads arrays of another job. */
  borrow(other: WasmJob, fields: readonly ArrayField[]): void {
    for (const field of fields) this.words[FIELDS[field]] = other.word(field)
  }

  floats(field: ArrayField, length: number): Float32Array {
    this.views[field] ??= new Float32Array(this.arena.memory.buffer, this.word(field), length)
    return this.views[field]
  }

  integers(field: ArrayField, length: number): Int32Array {
    return new Int32Array(this.arena.memory.buffer, this.word(field), length)
  }

  dispose(): void {
    this.arena.release(this.block)
    this.arena.release(this.arrays)
  }

  private word(field: Field): number {
    return this.words[FIELDS[field]]
  }
}
