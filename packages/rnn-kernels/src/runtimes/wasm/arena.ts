import { KernelMemoryError } from '../../errors'

const PAGE_BYTES = 65536
const ALIGNMENT = 64 // a cache line

const INITIAL_PAGES = 64

/** Pages that the memory may grow to, 2 GiB: as much as every browser allows. The modules are compiled for it. */
const MAX_PAGES = 32768

/** The kernels' constants lie below; the first block begins here. */
const FIRST_BLOCK = PAGE_BYTES

/** A stretch of an {@link Arena}, in bytes. */
export interface Block {
  readonly at: number
  readonly bytes: number
}

/** Blocks of one growing WebAssembly memory, shared between threads. Freed neighbours become one again. */
export class Arena {
  readonly memory: WebAssembly.Memory
  private top = FIRST_BLOCK
  private free: Block[] = []

  /** @param maxPages that the memory may grow to */
  constructor(maxPages = MAX_PAGES) {
    this.memory = reserve(maxPages)
  }

  /** Finds or makes room; its content is arbitrary. */
  allocate(wanted: number): Block {
    const bytes = Math.ceil(wanted / ALIGNMENT) * ALIGNMENT
    const index = this.free.findIndex((block) => block.bytes >= bytes)
    if (index >= 0) {
      const block = this.free[index]
      if (block.bytes === bytes) this.free.splice(index, 1)
      else this.free[index] = { at: block.at + bytes, bytes: block.bytes - bytes }
      return { at: block.at, bytes }
    }
    const at = this.top
    this.growTo(at + bytes)
    this.top = at + bytes
    return { at, bytes }
  }

  /** Arrays of these numbers of floats one after the other from an address on, each in its own cache lines. */
  arraysAt(address: number, lengths: readonly number[]): Float32Array[] {
    let at = address
    return lengths.map((length) => {
      const array = new Float32Array(this.memory.buffer, at, length)
      at += linesOf(length)
      return array
    })
  }

  /** Gives a block back. */
  release(block: Block): void {
    const blocks = [...this.free, block].sort((a, b) => a.at - b.at)
    this.free = []
    for (const next of blocks) {
      const last = this.free.at(-1)
      if (last && last.at + last.bytes === next.at) {
        this.free[this.free.length - 1] = { at: last.at, bytes: last.bytes + next.bytes }
      } else this.free.push(next)
    }
    const last = this.free.at(-1)
    if (last && last.at + last.bytes === this.top) {
      this.top = last.at
      this.free.pop()
    }
  }

  private growTo(end: number): void {
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE_BYTES)
    if (missing <= 0) return
    try {
      this.memory.grow(missing)
    } catch (cause) {
      throw new KernelMemoryError(
        `the kernels need ${Math.ceil(end / 2 ** 20)} MiB, more than the memory may grow to; use smaller batches`,
        { cause },
      )
    }
  }
}

/** Bytes of the arrays of {@link Arena.arraysAt}. */
export function bytesOf(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + linesOf(length), 0)
}

/** Bytes of the cache lines of a number of floats. */
function linesOf(length: number): number {
  return Math.ceil((4 * length) / ALIGNMENT) * ALIGNMENT
}

/** Pages of an arena for one block of a number of bytes. */
export function pagesFor(bytes: number): number {
  return Math.max(INITIAL_PAGES, Math.ceil((FIRST_BLOCK + bytes) / PAGE_BYTES))
}

/** Reserves as much address space as there is, down to 64 MiB: a limit on virtual memory may forbid the whole of it. */
function reserve(maxPages: number): WebAssembly.Memory {
  for (let maximum = maxPages; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true })
    } catch (cause) {
      if (maximum > 1024) continue
      throw new KernelMemoryError('no memory can be reserved for the kernels; raise the limit on virtual memory', {
        cause,
      })
    }
  }
}
