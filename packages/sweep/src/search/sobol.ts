import type { Generator } from '@rowwise/torch-random'

/** Bits of a coordinate, as in PyTorch. */
const BITS = 30

/**
 * Primitive polynomials and first direction numbers of the dimensions after the first: [degree, coefficients, m₁, m₂, …].
 * From Joe and Kuo, "Constructing Sobol sequences with better two-dimensional projections" (2008), `new-joe-kuo-6`.
 */
const DIRECTIONS: readonly (readonly number[])[] = [
  [1, 0, 1],
  [2, 1, 1, 3],
  [3, 1, 1, 3, 1],
  [3, 2, 1, 1, 1],
  [4, 1, 1, 1, 3, 3],
  [4, 4, 1, 3, 5, 13],
  [5, 2, 1, 1, 5, 5, 17],
  [5, 4, 1, 1, 5, 5, 5],
  [5, 7, 1, 1, 7, 11, 19],
  [5, 11, 1, 1, 5, 1, 1],
  [5, 13, 1, 1, 1, 3, 11],
  [5, 14, 1, 3, 5, 5, 31],
  [6, 1, 1, 3, 3, 9, 7, 49],
  [6, 13, 1, 1, 1, 15, 21, 21],
  [6, 16, 1, 3, 1, 13, 27, 49],
  [6, 19, 1, 1, 1, 15, 7, 5],
  [6, 22, 1, 3, 1, 15, 13, 25],
  [6, 25, 1, 1, 5, 5, 19, 61],
  [7, 1, 1, 3, 7, 11, 23, 15, 103],
  [7, 4, 1, 3, 7, 13, 13, 15, 69],
]

/**
 * Scrambled Sobol points: quasi-random, so they fill a space more evenly than random ones.
 * The points of `torch.quasirandom.SobolEngine(dimensions, scramble=True, seed)`, before its rounding to float32.
 *
 * @param generator seeded as the engine is; scrambling draws from it
 * @returns points of [0, 1)
 */
export function sobolPoints(dimensions: number, count: number, generator: Generator): Float64Array[] {
  const directions = Array.from({ length: dimensions }, (_, dimension) => directionNumbers(dimension))
  const bit = (): number => generator.random() % 2
  const shift = directions.map(() => {
    let value = 0
    for (let k = 0; k < BITS; k++) value += bit() * 2 ** k
    return value
  })
  for (const numbers of directions) scramble(numbers, bit)
  const at = Int32Array.from(shift)
  return Array.from({ length: count }, (_, index) => {
    const point = Float64Array.from(at, (value) => value / 2 ** BITS)
    const change = trailingOnes(index)
    for (let d = 0; d < dimensions; d++) at[d] ^= directions[d][change]
    return point
  })
}

/** v₁ … v₃₀ of a dimension, as integers of 30 bits. */
function directionNumbers(dimension: number): Int32Array {
  const m = new Int32Array(BITS).fill(1)
  if (dimension > 0) {
    const [degree, coefficients, ...first] = DIRECTIONS[dimension - 1]
    m.set(first)
    for (let k = degree; k < BITS; k++) {
      m[k] = m[k - degree] ^ (m[k - degree] << degree)
      for (let j = 1; j < degree; j++) {
        if ((coefficients >> (degree - 1 - j)) & 1) m[k] ^= m[k - j] << j
      }
    }
  }
  return m.map((value, k) => value << (BITS - 1 - k))
}

/** Multiplies by a random lower triangular matrix of bits (Matoušek, "On the L2-discrepancy for anchored boxes", 1998). */
function scramble(numbers: Int32Array, bit: () => number): void {
  const rows = Array.from({ length: BITS }, (_, row) => {
    let bits = 0
    for (let column = 0; column < BITS; column++) {
      const drawn = bit()
      const isSet = column === row || (column < row && drawn === 1)
      if (isSet) bits |= 1 << (BITS - 1 - column)
    }
    return bits
  })
  for (let k = 0; k < BITS; k++) {
    let scrambled = 0
    for (let row = 0; row < BITS; row++) scrambled |= parity(rows[row] & numbers[k]) << (BITS - 1 - row)
    numbers[k] = scrambled
  }
}

function parity(bits: number): number {
  let odd = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) odd ^= 1
  return odd
}

/** The position of the lowest zero bit: which direction number a Gray code changes next. */
function trailingOnes(index: number): number {
  let position = 0
  for (let rest = index; rest & 1; rest >>>= 1) position++
  return position
}
