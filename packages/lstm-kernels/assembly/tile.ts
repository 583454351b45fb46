// The micro-kernels: register tiles of one or two rows by 32 columns, a panel. The accumulators begin with what `from` holds
// and go to `tile`, rows of 32 floats.
//
// The wide build keeps all of a tile in sixteen accumulators. Where the engine makes one 256-bit operation of two of 128
// bits (V8's revectorizer), those are eight registers, and four right and two left operands fit beside them. Elsewhere only half
// of them fit: the other builds take every second vector of the columns, then the rest. Each sum has the same terms in
// the same order either way, so builds of the same arithmetic agree to the last bit.
//
// The loops are not unrolled: V8 before version 13 moves the loads up and runs out of registers.

import { fma } from './arithmetic'

/** Bytes of a row of a tile, and of a panel. */
export const ROW: usize = 128
/** Bytes of a tile. */
export const TILE: usize = 256

/**
 * tile[0..1][0..31] = from[0..1][0..31] + Σ_k a0[k], a1[k] · b[k][0..31], with so many bytes from one k to the next. Two rows
 * of a product have aStep 4 and bStep 128; two columns of the weight gradients, summed over rows, have their matrices' pitches.
 */
// @ts-ignore: decorator
@inline
export function multiplyAdd(
  a0: usize, a1: usize, aStep: usize, b: usize, bStep: usize, count: i32, from0: usize, from1: usize, tile: usize,
): void {
  if (WIDE) multiplyAddWhole(a0, a1, aStep, b, bStep, count, from0, from1, tile)
  else {
    multiplyAddHalf(a0, a1, aStep, b, bStep, count, from0, from1, tile)
    multiplyAddHalf(a0, a1, aStep, b + 16, bStep, count, from0 + 16, from1 + 16, tile + 16)
  }
}

function multiplyAddWhole(
  a0: usize, a1: usize, aStep: usize, b: usize, bStep: usize, count: i32, from0: usize, from1: usize, tile: usize,
): void {
  let c00 = v128.load(from0, 0)
  let c01 = v128.load(from0, 16)
  let c02 = v128.load(from0, 32)
  let c03 = v128.load(from0, 48)
  let c04 = v128.load(from0, 64)
  let c05 = v128.load(from0, 80)
  let c06 = v128.load(from0, 96)
  let c07 = v128.load(from0, 112)
  let c10 = v128.load(from1, 0)
  let c11 = v128.load(from1, 16)
  let c12 = v128.load(from1, 32)
  let c13 = v128.load(from1, 48)
  let c14 = v128.load(from1, 64)
  let c15 = v128.load(from1, 80)
  let c16 = v128.load(from1, 96)
  let c17 = v128.load(from1, 112)
  for (const end = b + bStep * count; b != end; ) {
    const p = v128.load32_splat(a0)
    const q = v128.load32_splat(a1)
    const r0 = v128.load(b, 0)
    const r1 = v128.load(b, 16)
    c00 = fma(p, r0, c00)
    c01 = fma(p, r1, c01)
    c10 = fma(q, r0, c10)
    c11 = fma(q, r1, c11)
    const r2 = v128.load(b, 32)
    const r3 = v128.load(b, 48)
    c02 = fma(p, r2, c02)
    c03 = fma(p, r3, c03)
    c12 = fma(q, r2, c12)
    c13 = fma(q, r3, c13)
    const r4 = v128.load(b, 64)
    const r5 = v128.load(b, 80)
    c04 = fma(p, r4, c04)
    c05 = fma(p, r5, c05)
    c14 = fma(q, r4, c14)
    c15 = fma(q, r5, c15)
    const r6 = v128.load(b, 96)
    const r7 = v128.load(b, 112)
    c06 = fma(p, r6, c06)
    c07 = fma(p, r7, c07)
    c16 = fma(q, r6, c16)
    c17 = fma(q, r7, c17)
    a0 += aStep
    a1 += aStep
    b += bStep
  }
  v128.store(tile, c00, 0)
  v128.store(tile, c01, 16)
  v128.store(tile, c02, 32)
  v128.store(tile, c03, 48)
  v128.store(tile, c04, 64)
  v128.store(tile, c05, 80)
  v128.store(tile, c06, 96)
  v128.store(tile, c07, 112)
  v128.store(tile, c10, 128)
  v128.store(tile, c11, 144)
  v128.store(tile, c12, 160)
  v128.store(tile, c13, 176)
  v128.store(tile, c14, 192)
  v128.store(tile, c15, 208)
  v128.store(tile, c16, 224)
  v128.store(tile, c17, 240)
}

/** The same for vectors 0, 2, 4 and 6 of each row. */
function multiplyAddHalf(
  a0: usize, a1: usize, aStep: usize, b: usize, bStep: usize, count: i32, from0: usize, from1: usize, tile: usize,
): void {
  let c00 = v128.load(from0, 0)
  let c02 = v128.load(from0, 32)
  let c04 = v128.load(from0, 64)
  let c06 = v128.load(from0, 96)
  let c10 = v128.load(from1, 0)
  let c12 = v128.load(from1, 32)
  let c14 = v128.load(from1, 64)
  let c16 = v128.load(from1, 96)
  for (const end = b + bStep * count; b != end; ) {
    const p = v128.load32_splat(a0)
    const q = v128.load32_splat(a1)
    const r0 = v128.load(b, 0)
    c00 = fma(p, r0, c00)
    c10 = fma(q, r0, c10)
    const r2 = v128.load(b, 32)
    c02 = fma(p, r2, c02)
    c12 = fma(q, r2, c12)
    const r4 = v128.load(b, 64)
    c04 = fma(p, r4, c04)
    c14 = fma(q, r4, c14)
    const r6 = v128.load(b, 96)
    c06 = fma(p, r6, c06)
    c16 = fma(q, r6, c16)
    a0 += aStep
    a1 += aStep
    b += bStep
  }
  v128.store(tile, c00, 0)
  v128.store(tile, c02, 32)
  v128.store(tile, c04, 64)
  v128.store(tile, c06, 96)
  v128.store(tile, c10, 128)
  v128.store(tile, c12, 160)
  v128.store(tile, c14, 192)
  v128.store(tile, c16, 224)
}

/** One row: tile[0..31] = from[0..31] + Σ_k a[k] · b[k][0..31]. */
// @ts-ignore: decorator
@inline
export function multiplyRow(a: usize, b: usize, count: i32, from: usize, tile: usize): void {
  if (WIDE) multiplyRowWhole(a, b, count, from, tile)
  else {
    multiplyRowHalf(a, b, count, from, tile)
    multiplyRowHalf(a, b + 16, count, from + 16, tile + 16)
  }
}

function multiplyRowWhole(a: usize, b: usize, count: i32, from: usize, tile: usize): void {
  let c0 = v128.load(from, 0)
  let c1 = v128.load(from, 16)
  let c2 = v128.load(from, 32)
  let c3 = v128.load(from, 48)
  let c4 = v128.load(from, 64)
  let c5 = v128.load(from, 80)
  let c6 = v128.load(from, 96)
  let c7 = v128.load(from, 112)
  for (const end = a + (<usize>count << 2); a < end; a += 4, b += ROW) {
    const p = v128.load32_splat(a)
    c0 = fma(p, v128.load(b, 0), c0)
    c1 = fma(p, v128.load(b, 16), c1)
    c2 = fma(p, v128.load(b, 32), c2)
    c3 = fma(p, v128.load(b, 48), c3)
    c4 = fma(p, v128.load(b, 64), c4)
    c5 = fma(p, v128.load(b, 80), c5)
    c6 = fma(p, v128.load(b, 96), c6)
    c7 = fma(p, v128.load(b, 112), c7)
  }
  v128.store(tile, c0, 0)
  v128.store(tile, c1, 16)
  v128.store(tile, c2, 32)
  v128.store(tile, c3, 48)
  v128.store(tile, c4, 64)
  v128.store(tile, c5, 80)
  v128.store(tile, c6, 96)
  v128.store(tile, c7, 112)
}

/** The same for vectors 0, 2, 4 and 6. */
function multiplyRowHalf(a: usize, b: usize, count: i32, from: usize, tile: usize): void {
  let c0 = v128.load(from, 0)
  let c2 = v128.load(from, 32)
  let c4 = v128.load(from, 64)
  let c6 = v128.load(from, 96)
  for (const end = a + (<usize>count << 2); a < end; a += 4, b += ROW) {
    const p = v128.load32_splat(a)
    c0 = fma(p, v128.load(b, 0), c0)
    c2 = fma(p, v128.load(b, 32), c2)
    c4 = fma(p, v128.load(b, 64), c4)
    c6 = fma(p, v128.load(b, 96), c6)
  }
  v128.store(tile, c0, 0)
  v128.store(tile, c2, 32)
  v128.store(tile, c4, 64)
  v128.store(tile, c6, 96)
}
