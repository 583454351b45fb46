import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lookUp, pixelSource } from '../src/look-up'

describe('lookUp', () => {
  it('takes the entry of every byte, wherever the bytes begin and however many they are, and writes nothing else', () => {
    const table = Float32Array.from({ length: 256 }, (_, byte) => byte / 3 - 20)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(7), fc.nat(7), (bytes, offset, start) => {
        const moved = new Uint8Array(new ArrayBuffer(bytes.length + 16), offset, bytes.length)
        moved.set(bytes)
        const from = Math.min(start, bytes.length - 1)
        const count = bytes.length - from
        const found = new Float32Array(count + 4).fill(-1)
        lookUp(pixelSource(moved), from, table, found, 2, count)
        const expected = Float32Array.from(bytes.subarray(from), (byte) => table[byte])
        expect(found).toEqual(Float32Array.of(-1, -1, ...expected, -1, -1))
      }),
    )
  })
})
