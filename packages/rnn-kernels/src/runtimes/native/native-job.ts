import { KernelMemoryError } from '../../errors'
import { FIELDS, NUMBERS } from '../../generated/job'
import { type ArrayField, describeSizes, type Job, type JobNumbers, type NumberField } from '../compiled/machine'
import type { Addon } from './addon'

const ARRAYS = Object.keys(FIELDS).length - NUMBERS.length

/** A job in its own array. The addon finds its arrays by the same sizes each time; addresses never come from here. */
export class NativeJob implements Job {
  readonly numbers = new Int32Array(NUMBERS.length)
  /** The memory of all arrays. */
  readonly block: Float32Array
  /** Bytes from the beginning of the block to each array. */
  private readonly offsets = new Float64Array(ARRAYS)
  private readonly views: Partial<Record<ArrayField, Float32Array>> = {}

  /** @throws KernelMemoryError when there is not enough memory */
  constructor(addon: Addon, machine: number, kind: 'pass' | 'weights', numbers: JobNumbers) {
    for (const [name, value] of Object.entries(numbers)) this.set(name as NumberField, value)
    this.set('borrows', true)
    const isWeights = Number(kind === 'weights')
    try {
      this.block = new Float32Array(Math.ceil(addon.layout(machine, this.numbers, isWeights) / 4))
    } catch (cause) {
      throw new KernelMemoryError(`there is no memory for ${describeSizes(numbers)}; use smaller batches`, { cause })
    }
    addon.layout(machine, this.numbers, isWeights, this.block, this.offsets)
  }

  set(field: NumberField, value: number | boolean): void {
    this.numbers[FIELDS[field]] = Number(value)
  }

  floats(field: ArrayField, length: number): Float32Array {
    this.views[field] ??= new Float32Array(this.block.buffer, this.offset(field), length)
    return this.views[field]
  }

  integers(field: ArrayField, length: number): Int32Array {
    return new Int32Array(this.block.buffer, this.offset(field), length)
  }

  dispose(): void {} // the memory is the garbage collector's

  private offset(field: ArrayField): number {
    return this.offsets[FIELDS[field] - NUMBERS.length]
  }
}
