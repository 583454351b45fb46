import type { Arena, Block } from './arena'
import { layOut } from './layout'

/** Room for the arrays of one call, which grows with the largest one and is kept. */
export class Scratch {
  private block: Block | null = null

  constructor(private readonly arena: Arena) {}

  /** Addresses for arrays of so many floats; what was there before is overwritten. */
  layOut<Name extends string>(sizes: Record<Name, number>): Record<Name, number> {
    const { addresses, bytes } = layOut(sizes)
    if (this.block === null || this.block.bytes < bytes) {
      if (this.block) this.arena.release(this.block)
      this.block = null
      this.block = this.arena.allocate(bytes)
    }
    for (const name of Object.keys(addresses) as Name[]) addresses[name] += this.block.at
    return addresses
  }

  write(at: number, values: Float32Array): void {
    this.arena.floats.set(values, at >> 2)
  }

  /** An array where it lies, until the next layout. */
  view(at: number, floats: number): Float32Array {
    return this.arena.floats.subarray(at >> 2, (at >> 2) + floats)
  }
}
