import { type EmbeddedModule, instantiateEmbedded } from '@rowwise/embedded-wasm'
import { LOOK_UP_MODULE } from './generated/modules'
import type { PixelTable } from './normalize'

/** Images whose bytes are brought together before they are looked up: few enough to stay in the second-level cache. */
const BLOCK = 64

/** One entry for each value of a byte. */
const ENTRIES = 256
const TABLE_BYTES = 4 * ENTRIES

/** What is written beyond the last byte's entry: the module takes bytes eight at a time. */
const PADDING = 8

interface LookUpExports {
  lookUp(bytes: number, table: number, to: number, count: number): void
}

/** Images by their bytes, `[items, size]`, and the room for a batch of them looked up in a table. */
export class PixelLookUp {
  private readonly module: EmbeddedModule<LookUpExports> | null
  private readonly table: Float32Array
  private readonly bytes: Uint8Array
  private readonly values: Float32Array

  constructor(
    private readonly images: Uint8Array,
    private readonly size: number,
    rows: number,
  ) {
    const bytes = Math.min(rows, BLOCK) * size + PADDING
    const valuesAt = TABLE_BYTES + Math.ceil(bytes / 64) * 64
    const floats = rows * size + PADDING
    const total = valuesAt + 4 * floats
    this.module = instantiateEmbedded(LOOK_UP_MODULE, total)
    const buffer = this.module?.memory.buffer ?? new ArrayBuffer(total)
    this.table = new Float32Array(buffer, 0, ENTRIES)
    this.bytes = new Uint8Array(buffer, TABLE_BYTES, bytes)
    this.values = new Float32Array(buffer, valuesAt, floats)
  }

  /** Takes over a table. */
  useTable(table: PixelTable): void {
    this.table.set(table)
  }

  /**
   * The table's entries of some images, float32 `[count, size]`; they hold until the next call.
   *
   * @param order which image is at which place; each at its own when absent
   * @param start the first place
   */
  gather(order: Int32Array | undefined, start: number, count: number): Float32Array {
    const { size, values } = this
    for (let begin = 0; begin < count; begin += BLOCK) {
      const rows = Math.min(BLOCK, count - begin)
      this.bring(order, start + begin, rows)
      this.lookUp(begin * size, rows * size)
    }
    return values.subarray(0, count * size)
  }

  /** Copies the bytes of a block's images into `bytes`. */
  private bring(order: Int32Array | undefined, start: number, rows: number): void {
    const { images, bytes, size } = this
    if (order === undefined) {
      bytes.set(images.subarray(start * size, (start + rows) * size))
      return
    }
    for (let row = 0; row < rows; row++) {
      const at = order[start + row] * size
      bytes.set(images.subarray(at, at + size), row * size)
    }
  }

  private lookUp(to: number, count: number): void {
    const { module, bytes, table, values } = this
    if (module) {
      module.exports.lookUp(bytes.byteOffset, table.byteOffset, values.byteOffset + 4 * to, count)
      return
    }
    for (let k = 0; k < count; k++) values[to + k] = table[bytes[k]]
  }
}
