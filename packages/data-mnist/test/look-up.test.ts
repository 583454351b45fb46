import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { PixelLookUp } from '../src/look-up'

const table = Float32Array.from({ length: 256 }, (_, byte) => byte / 3 - 20)

/** Images of `size` bytes and an order of places to take a batch from. */
const cases = fc
  .record({ size: fc.integer({ min: 1, max: 30 }), items: fc.integer({ min: 1, max: 150 }), offset: fc.nat(7) })
  .chain(({ size, items, offset }) =>
    fc.record({
      size: fc.constant(size),
      images: fc.uint8Array({ minLength: items * size, maxLength: items * size }).map((bytes) => {
        const moved = new Uint8Array(new ArrayBuffer(bytes.length + offset), offset)
        moved.set(bytes)
        return moved
      }),
      order: fc.option(fc.array(fc.nat(items - 1), { minLength: items, maxLength: items }), { nil: undefined }),
      places: fc.tuple(fc.nat(items - 1), fc.nat(items - 1)),
    }),
  )

function expectEntriesOfEveryByte(): void {
  fc.assert(
    fc.property(cases, ({ size, images, order, places }) => {
      const [start, last] = places.sort((a, b) => a - b)
      const count = last + 1 - start
      const pixels = new PixelLookUp(images, size, images.length / size)
      pixels.useTable(table)
      const found = pixels.gather(order && Int32Array.from(order), start, count)
      const items = Array.from({ length: count }, (_, row) => order?.[start + row] ?? start + row)
      const expected = items.flatMap((item) =>
        Array.from(images.subarray(item * size, (item + 1) * size), (byte) => table[byte]),
      )
      expect(found).toEqual(Float32Array.from(expected))
    }),
  )
}

describe('a pixel look-up', () => {
  it('takes the entry of every byte, wherever the bytes lie and however many they are', expectEntriesOfEveryByte)

  it('does so without WebAssembly too', () => {
    vi.stubGlobal('WebAssembly', undefined)
    try {
      expectEntriesOfEveryByte()
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('takes over the entries of another table for the batches that follow', () => {
    const pixels = new PixelLookUp(Uint8Array.of(0, 1, 255), 1, 3)
    pixels.useTable(table)
    pixels.gather(undefined, 0, 3)
    pixels.useTable(table.map((entry) => -entry))
    expect(pixels.gather(undefined, 1, 2)).toEqual(Float32Array.of(-table[1], -table[255]))
  })
})
