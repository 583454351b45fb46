import type { Random } from './soak'

const EXTREMES = [0, 1, 7, 0x7f, 0x80, 0xff]

/** A damaged copy: bits flipped, bytes set, cut, doubled, moved, or numbers in the text replaced by extreme ones. */
export function mutate(original: Uint8Array, { below, pick }: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(original)
  for (let change = below(4); change >= 0; change--) {
    const at = below(Math.max(1, bytes.length))
    const length = Math.min(1 + below(64), bytes.length - at)
    switch (below(7)) {
      case 0:
        bytes[at] ^= 1 << below(8)
        break
      case 1:
        bytes[at] = pick(EXTREMES)
        break
      case 2:
        bytes = bytes.slice(0, at)
        break
      case 3:
        bytes = concat(bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at))
        break
      case 4:
        bytes = concat(bytes.subarray(0, at), bytes.subarray(at + length))
        break
      case 5:
        bytes.fill(pick(EXTREMES), at, at + length)
        break
      default:
        bytes = replaceNumber(bytes, below, pick)
    }
  }
  return bytes
}

const NUMBERS = [
  '-1',
  '0',
  '1e400',
  '9007199254740993',
  '18446744073709551615',
  '4294967295',
  'null',
  '[]',
  '"x"',
  '0.5',
]

/** Some number in the first bytes, which are a text in some formats, becomes another. */
function replaceNumber(bytes: Uint8Array, below: Random['below'], pick: Random['pick']): Uint8Array {
  const text = Buffer.from(bytes.subarray(0, 4096)).toString('latin1')
  const numbers = [...text.matchAll(/\d+/g)]
  if (numbers.length === 0) return bytes
  const { index, 0: digits } = numbers[below(numbers.length)]
  return concat(bytes.subarray(0, index), Buffer.from(pick(NUMBERS)), bytes.subarray(index + digits.length))
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}
