import { engine, type KernelBackend } from '@tensorflow/tfjs-core'

/** What is there of tfjs's WASM backend: the allocator of its memory. */
interface WasmBackend extends KernelBackend {
  readonly wasm?: { _malloc?(bytes: number): number; _free?(address: number): void }
}

/** Most bytes to reserve: the memory ends at 2 GiB. */
const MOST_BYTES = 2 ** 27

/**
 * Keeps free space in the WASM backend's memory for tensors that are in arrays, so moving one there does not grow it.
 * tfjs's Cast, Concat, Identity and Slice read the memory's buffer before their input is moved there. If the memory
 * grows in between, they throw "Cannot perform Construct on a detached ArrayBuffer".
 *
 * Sizes are rounded up and space is reused, so a loop reserves nothing after its first steps. Space that is never
 * written to costs no physical memory.
 */
export class Reserve {
  private readonly tensors = new Map<number, number>()
  private readonly spaces = new Map<number, number[]>()
  private backend: WasmBackend | undefined
  private bytes = 0

  /** Counts a tensor of `count` numbers in. */
  add(count: number): void {
    const size = rounded(count)
    const tensors = (this.tensors.get(size) ?? 0) + 1
    this.tensors.set(size, tensors)
    const backend = engine().registry.wasm as WasmBackend | undefined
    if (backend !== this.backend) this.forget(backend)
    const spaces = this.spaces.get(size) ?? []
    while (spaces.length < tensors && this.hasSpace(size)) {
      const address = backend?.wasm?._malloc?.(4 * size)
      if (!address) return // out of memory: the move itself reports that
      spaces.push(address)
      this.bytes += 4 * size
      this.spaces.set(size, spaces)
    }
  }

  /** Counts it out; with `moves` it is about to be moved to the backend. */
  remove(count: number, moves: boolean): void {
    const size = rounded(count)
    this.tensors.set(size, (this.tensors.get(size) ?? 1) - 1)
    if (moves && engine().registry.wasm === this.backend) this.free(size)
  }

  /** Whether `size` more fits; frees unused space if it must. */
  private hasSpace(size: number): boolean {
    if (this.bytes + 4 * size <= MOST_BYTES) return true
    for (const [other, spaces] of this.spaces) while (spaces.length > (this.tensors.get(other) ?? 0)) this.free(other)
    return this.bytes + 4 * size <= MOST_BYTES
  }

  private free(size: number): void {
    const space = this.spaces.get(size)?.pop()
    if (space === undefined) return
    this.backend?.wasm?._free?.(space)
    this.bytes -= 4 * size
  }

  /** The backend was replaced or removed, and its memory with it. */
  private forget(backend: WasmBackend | undefined): void {
    this.spaces.clear()
    this.bytes = 0
    this.backend = backend
  }
}

/** Four sizes for each power of two. */
function rounded(count: number): number {
  const unit = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, count))) - 2)
  return Math.ceil(count / unit) * unit
}
