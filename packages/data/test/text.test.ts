import { characters, textDataset } from '@rowwise/data'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const code = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('characters', () => {
  it('gives back any text, code point by code point', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const vocabulary = characters(text)
        expect(vocabulary.decode(vocabulary.encode(text))).toBe(text)
        expect(vocabulary.encode(text)).toHaveLength([...text].length)
      }),
    )
  })

  it('numbers them in the order of their code points, or as given', () => {
    expect(characters('banana').characters).toEqual(['a', 'b', 'n'])
    expect([...characters(['n', 'a', 'b']).encode('ban')]).toEqual([2, 1, 0])
  })

  it('refuses a character that it does not know, with the place', () => {
    expect(() => characters('ab\n').encode('ab\nac')).toThrow(
      code('DATASET_INVALID', /line 2, column 2: "c" is not in the vocabulary of 3/),
    )
  })

  it.each<[string | string[], RegExp]>([
    ['', /the text is empty/],
    [['a', 'a'], /not all different/],
    [['ab'], /one code point each/],
  ])('refuses %j', (text, message) => {
    expect(() => characters(text)).toThrow(code('DATASET_INVALID', message))
  })

  it('refuses a number without a character', () => {
    expect(() => characters('ab').decode([2])).toThrow(code('DATASET_INVALID', /no character 2, expected 0 to 1/))
  })
})

describe('textDataset', () => {
  it('has parts of a text, and the character after each', () => {
    const dataset = textDataset(Int32Array.of(0, 1, 2, 3, 4, 5, 6), { length: 3, step: 2 })
    expect([dataset.length, dataset.get(Int32Array.of(1, 0))]).toEqual([
      2,
      {
        inputs: { data: Int32Array.of(2, 3, 4, 0, 1, 2), shape: [2, 3] },
        targets: { data: Int32Array.of(3, 4, 5, 1, 2, 3), shape: [2, 3] },
      },
    ])
  })

  it('refuses a text that is too short, and lengths that cannot be', () => {
    expect(() => textDataset(new Int32Array(3), { length: 3 })).toThrow(
      code('DATASET_INVALID', /has 3 characters, a sample of 3 needs 4/),
    )
    expect(() => textDataset(new Int32Array(3), { length: 0 })).toThrow(code('LOADER_OPTION', /length is 0/))
  })
})
