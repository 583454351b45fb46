import type { ByteTable } from './transform'

/** Bytes of all samples, row by row. */
export interface ByteRows {
  readonly bytes: Uint8Array
  /** Bytes of a row. */
  readonly size: number
}

/** The row of bytes that are one row. */
export const WHOLE: Int32Array = Int32Array.of(0)

/** Whether the lowest byte of a word comes first in memory, as on almost every processor. */
const isLittleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1

/**
 * The table's entry of each byte of some rows, one row after the other. Sixteen bytes of 0 at once are passed over:
 * most of a drawing is background.
 */
export function lookUpRows({ bytes, size }: ByteRows, rows: Int32Array, table: ByteTable, to: Float32Array): void {
  const start = bytes.byteOffset
  if (!isLittleEndian || start % 4 !== 0 || size % 16 !== 0) {
    lookUpBytes({ bytes, size }, rows, table, to)
    return
  }
  const words = new Int32Array(bytes.buffer, start, bytes.length >> 2)
  const length = size >> 2
  fetchRows(words, length, rows)
  to.fill(table[0])
  for (let row = 0, at = 0; row < rows.length; row++) {
    const first = rows[row] * length
    for (let word = first; word < first + length; word += 4, at += 16) {
      const a = words[word]
      const b = words[word + 1]
      const c = words[word + 2]
      const d = words[word + 3]
      if ((a | b | c | d) === 0) continue
      if (a !== 0) lookUpWord(a, table, to, at)
      if (b !== 0) lookUpWord(b, table, to, at + 4)
      if (c !== 0) lookUpWord(c, table, to, at + 8)
      if (d !== 0) lookUpWord(d, table, to, at + 12)
    }
  }
}

function lookUpWord(word: number, table: ByteTable, to: Float32Array, at: number): void {
  to[at] = table[word & 255]
  to[at + 1] = table[(word >>> 8) & 255]
  to[at + 2] = table[(word >>> 16) & 255]
  to[at + 3] = table[word >>> 24]
}

function lookUpBytes({ bytes, size }: ByteRows, rows: Int32Array, table: ByteTable, to: Float32Array): void {
  for (let row = 0, at = 0; row < rows.length; row++) {
    const first = rows[row] * size
    for (let k = first; k < first + size; k++) to[at++] = table[bytes[k]]
  }
}

/** Words of a line of a processor's cache. */
const CACHE_LINE = 16

const fetched = new Int32Array(1)

/**
 * Reads a word of each cache line of some rows. Rows drawn at random are in no cache, and each is in another page. Here
 * the processor waits for many at once, for the pages first. In a loop that works on each row it waits for one at a time.
 */
function fetchRows(words: Int32Array, length: number, rows: Int32Array): void {
  let sum = 0
  for (let row = 0; row < rows.length; row++) sum ^= words[rows[row] * length]
  for (let row = 0; row < rows.length; row++) {
    const first = rows[row] * length
    for (let word = CACHE_LINE; word < length; word += CACHE_LINE) sum ^= words[first + word]
  }
  fetched[0] = sum // what nobody uses would not be read
}
