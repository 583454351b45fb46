import { engine, type KernelBackend } from '@tensorflow/tfjs-core'

/** What is there of tfjs's WASM backend: the allocator of its memory. */
interface WasmBackend extends KernelBackend {
  readonly wasm?: { _malloc?(bytes: number): number; _free?(address: number): void }
}

/** Bytes that may be reserved: the memory ends at 2 GiB, and whoever has more in arrays had better keep it there. */
const MOST_BYTES = 2 ** 27

/**
 * Keeps room in the WASM backend's memory for tensors that are in arrays, so that it need not grow when one is moved there. Some of tfjs's
 * operations (Cast, Concat, Identity, Slice) take the memory's buffer, then have their input moved, and end in "Cannot perform Construct on a
 * detached ArrayBuffer" if it grew. Room that nobody writes to takes no memory.
 *
 * Sizes are rounded up, and what was reserved stays while there is space, so a loop that makes and disposes tensors reserves nothing after its
 * first steps.
 */
export class Reserve {
  private readonly tensors = new Map<number, number>()
  private readonly rooms = new Map<number, number[]>()
  private backend: WasmBackend | undefined
  private bytes = 0

  /** A tensor of so many numbers is there. */
  add(count: number): void {
    const size = rounded(count)
    const tensors = (this.tensors.get(size) ?? 0) + 1
    this.tensors.set(size, tensors)
    const backend = engine().registry.wasm as WasmBackend | undefined
    if (backend !== this.backend) this.forget(backend)
    const rooms = this.rooms.get(size) ?? []
    while (rooms.length < tensors && this.hasSpace(size)) {
      const address = backend?.wasm?._malloc?.(4 * size)
      if (!address) return // no memory: what is moved will say so
      rooms.push(address)
      this.bytes += 4 * size
      this.rooms.set(size, rooms)
    }
  }

  /** It is gone; with `moves` it comes to the backend now. */
  remove(count: number, moves: boolean): void {
    const size = rounded(count)
    this.tensors.set(size, (this.tensors.get(size) ?? 1) - 1)
    if (moves && engine().registry.wasm === this.backend) this.free(size)
  }

  /** Whether there may be a room more; gives up those that no tensor has any more, if it must. */
  private hasSpace(size: number): boolean {
    if (this.bytes + 4 * size <= MOST_BYTES) return true
    for (const [other, rooms] of this.rooms) while (rooms.length > (this.tensors.get(other) ?? 0)) this.free(other)
    return this.bytes + 4 * size <= MOST_BYTES
  }

  private free(size: number): void {
    const room = this.rooms.get(size)?.pop()
    if (room === undefined) return
    this.backend?.wasm?._free?.(room)
    this.bytes -= 4 * size
  }

  /** Another backend of that name is there, or none: the memory of the one before is gone. */
  private forget(backend: WasmBackend | undefined): void {
    this.rooms.clear()
    this.bytes = 0
    this.backend = backend
  }
}

/** Four sizes for each power of two. */
function rounded(count: number): number {
  const unit = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, count))) - 2)
  return Math.ceil(count / unit) * unit
}
