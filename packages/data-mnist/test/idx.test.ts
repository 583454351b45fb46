import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IdxError, parseIdx } from '../src'
import { idx } from './idx-files'

const refused = expect.objectContaining({ code: 'IDX_INVALID' })
const images = idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])

describe('parseIdx', () => {
  it('reads shape and data', () => {
    expect(parseIdx(images, 3)).toEqual({ shape: [2, 2, 3], data: images.subarray(16) })
  })

  it('reads back every file of every shape', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(sizes, (shape) => {
        const data = Uint8Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i)
        expect(parseIdx(idx(shape, data), shape.length)).toEqual({ shape, data })
      }),
    )
  })

  it('refuses every truncation', () => {
    fc.assert(
      fc.property(fc.nat(images.length - 1), (length) => {
        expect(() => parseIdx(images.subarray(0, length), 3)).toThrow(refused)
      }),
    )
  })

  it('refuses every flipped bit of the header', () => {
    fc.assert(
      fc.property(fc.nat(16 * 8 - 1), (bit) => {
        const altered = images.slice()
        altered[bit >> 3] ^= 1 << (bit & 7)
        expect(() => parseIdx(altered, 3)).toThrow(refused)
      }),
    )
  })

  it('never throws anything but its own error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (bytes, rank) => {
        let thrown: unknown
        try {
          parseIdx(bytes, rank)
        } catch (error) {
          thrown = error
        }
        expect(thrown === undefined || thrown instanceof IdxError).toBe(true)
      }),
    )
  })

  it.each([0, 1, 2, 4, 255])('refuses rank %i for images, naming its offset', (rank) => {
    const altered = images.slice()
    altered[3] = rank
    expect(() => parseIdx(altered, 3)).toThrow(new RegExp(`rank at offset 3 is ${rank}, expected 3`))
  })

  it('refuses another element type, naming its offset', () => {
    const altered = images.slice()
    altered[2] = 0x0d
    expect(() => parseIdx(altered, 3)).toThrow(/type at offset 2 is 0x0d, expected 0x08/)
  })

  it.each([[[0xffffffff, 0xffffffff, 0xffffffff]], [[2 ** 26, 2 ** 26, 2]], [[2, 2, 4]], [[2, 2, 2]], [[0, 2, 3]]])(
    'refuses dimensions %j of a file with 12 bytes of data',
    (shape) => {
      expect(() => parseIdx(idx(shape, images.subarray(16)), 3)).toThrow(refused)
    },
  )
})
