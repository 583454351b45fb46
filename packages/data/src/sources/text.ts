import { refuseUnknownOptions } from '@rowwise/errors'
import type { Tensor2D } from '@tensorflow/tfjs-core'
import type { Dataset } from '../dataset'
import { DatasetError, LoaderOptionError } from '../errors'

/** The characters of a text, and their numbers. */
export interface Vocabulary {
  /** The characters (Unicode code points); a character's number is its place. */
  readonly characters: readonly string[]
  /** How many there are. */
  readonly size: number
  /** The numbers of a text's characters. @throws {@link DatasetError} with line and column when one is not among them. */
  encode(text: string): Int32Array
  /** The text of numbers. @throws {@link DatasetError} when one has no character. */
  decode(codes: ArrayLike<number>): string
}

/**
 * The characters of a text in their order by code point, or a given list of them.
 *
 * @throws {@link DatasetError} when there is none, or one is there twice.
 * @example
 * ```ts
 * const vocabulary = characters('hello')
 * console.log(vocabulary.decode(vocabulary.encode('hole'))) // hole
 * ```
 */
export function characters(text: string | readonly string[]): Vocabulary {
  const list = typeof text === 'string' ? [...new Set(text)].sort() : [...text]
  const codes = new Map(list.map((character, code) => [character, code]))
  if (list.length === 0) throw new DatasetError('the text is empty, so it has no characters')
  if (
    codes.size !== list.length ||
    !list.every((character) => typeof character === 'string' && [...character].length === 1)
  ) {
    throw new DatasetError('the characters are not all different, one code point each')
  }
  return {
    characters: list,
    size: list.length,
    encode(part) {
      let [line, column] = [1, 0]
      return Int32Array.from(part, (character) => {
        column += 1
        const code = codes.get(character)
        if (code === undefined) {
          throw new DatasetError(
            `line ${line}, column ${column}: ${JSON.stringify(character)} is not in the vocabulary of ${list.length}`,
          )
        }
        if (character === '\n') {
          line += 1
          column = 0
        }
        return code
      })
    },
    decode(given) {
      return Array.from(given, (code) => {
        if (Object.hasOwn(list, code)) return list[code]
        throw new DatasetError(`there is no character ${code}, expected 0 to ${list.length - 1}`)
      }).join('')
    },
  }
}

/** A batch of parts of a text. */
export interface TextBatch {
  /** int32 `[N, length]` */
  inputs: Tensor2D
  /** The character after each, int32 `[N, length]`. */
  targets: Tensor2D
}

/** How {@link textDataset} cuts a text. */
export interface TextDatasetOptions {
  /** Characters of a sample. */
  length: number
  /** Characters from the start of one sample to the next. @default length */
  step?: number
}

/**
 * Parts of a text, and the character after each of its characters: what a language model learns. `inputs` and `targets` are int32
 * `[N, length]`.
 *
 * @param codes the text's numbers, of {@link Vocabulary.encode}
 * @throws {@link DatasetError} when the text is too short, {@link LoaderOptionError} for an option that cannot be.
 * @example
 * ```ts
 * const vocabulary = characters(text)
 * const dataset = textDataset(vocabulary.encode(text), { length: 64 })
 * ```
 */
export function textDataset(codes: Int32Array, options: TextDatasetOptions): Dataset<TextBatch> {
  refuseUnknownOptions('textDataset()', options, { length: true, step: true }, LoaderOptionError)
  const { length, step = length } = options
  for (const [name, value] of Object.entries({ length, step })) {
    if (Number.isInteger(value) && value >= 1) continue
    throw new LoaderOptionError(`textDataset(): ${name} is ${value}, expected an integer of at least 1`)
  }
  if (!(codes instanceof Int32Array)) {
    throw new DatasetError(`textDataset() got ${typeof codes}, expected an Int32Array: vocabulary.encode(text)`)
  }
  const samples = Math.floor((codes.length - 1 - length) / step) + 1
  if (samples < 1) {
    throw new DatasetError(
      `the text has ${codes.length} characters, a sample of ${length} needs ${length + 1}; ask for less`,
    )
  }
  const cut = (indices: Int32Array, offset: number) => {
    const data = new Int32Array(indices.length * length)
    indices.forEach((index, row) => {
      const from = index * step + offset
      data.set(codes.subarray(from, from + length), row * length)
    })
    return { data, shape: [indices.length, length] }
  }
  return { length: samples, get: (indices) => ({ inputs: cut(indices, 0), targets: cut(indices, 1) }) }
}
