// The product that everything is made of: some rows by a panel of 32 columns, in register tiles. A tile's sums begin with what `from`
// holds, and go to `to`, in rows of 32 floats.
//
// Which tile is fastest depends on the registers. x86-64 has sixteen, V8 leaves fifteen. Six rows by two vectors take twelve for
// sums, two for right and one for left operands, and twelve sums under way hide the latency of a fused multiply-add. Without
// fused ones the products take registers too, and two rows by four vectors are faster. Where an engine makes one 256-bit operation of
// two of 128 bits, six rows by four vectors are what six by two are elsewhere. Each sum has the same terms in the same order whatever
// the tile, so builds of the same arithmetic agree to the last bit. (Measured: the README of this package.)
//
// The loops are not unrolled: V8 before version 13 moves the loads up and runs out of registers.

import { ROW_BLOCK } from '../src/job-fields'
import { multiplyOneByHalf, multiplySixByTwo, multiplyTwoByHalf } from './tile-narrow'
import { multiplyOneByWhole, multiplySixByFour, multiplyTwoByWhole } from './tile-wide'

/** Bytes of a row of a tile, and of a panel. */
export const ROW: usize = 128
/** Bytes of the sums of a block of rows. */
export const TILE: usize = ROW * ROW_BLOCK

/** to[r][0..31] = from[0..31] + Σ_k a[r][k] · b[k][0..31] for all rows of a matrix of such a pitch; `b` is a packed panel. */
export function multiplyRows(rows: i32, a: usize, pitch: usize, b: usize, count: i32, from: usize, to: usize, toPitch: usize): void {
  while (rows > 0) {
    const some = multiplySome(rows, a, pitch, 4, b, ROW, count, from, 0, to, toPitch)
    rows -= some
    a += pitch * <usize>some
    to += toPitch * <usize>some
  }
}

/**
 * to[r][0..31] = from[r][0..31] + Σ_k a[r][k] · b[k][0..31] for the first rows of `rows`: six, two or one of them, which it
 * returns. From row to row there are so many bytes as the pitches say, from k to k the steps. A product has aStep 4 and the pitch of its
 * matrix; the weight gradients, whose "rows" are columns and whose k are rows, have it the other way around.
 */
// @ts-ignore: decorator
@inline
export function multiplySome(
  rows: i32, a: usize, aPitch: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, fromPitch: usize,
  to: usize, toPitch: usize,
): i32 {
  if (ASC_FEATURE_RELAXED_SIMD && rows >= 6) {
    multiplySix(a, aPitch, aStep, b, bStep, count, from, fromPitch, to, toPitch)
    return 6
  }
  if (rows >= 2) {
    multiplyTwo(a, aPitch, aStep, b, bStep, count, from, fromPitch, to, toPitch)
    return 2
  }
  multiplyOne(a, aStep, b, bStep, count, from, to)
  return 1
}

function multiplySix(
  a: usize, aPitch: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, fromPitch: usize,
  to: usize, toPitch: usize,
): void {
  for (let at: usize = 0; at < ROW; at += WIDE ? 64 : 32) {
    if (WIDE) multiplySixByFour(a, aPitch, aStep, b + at, bStep, count, from + at, fromPitch, to + at, toPitch)
    else multiplySixByTwo(a, aPitch, aStep, b + at, bStep, count, from + at, fromPitch, to + at, toPitch)
  }
}

function multiplyTwo(
  a: usize, aPitch: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, fromPitch: usize,
  to: usize, toPitch: usize,
): void {
  if (WIDE) multiplyTwoByWhole(a, aPitch, aStep, b, bStep, count, from, fromPitch, to, toPitch)
  else {
    multiplyTwoByHalf(a, aPitch, aStep, b, bStep, count, from, fromPitch, to, toPitch)
    multiplyTwoByHalf(a, aPitch, aStep, b + 16, bStep, count, from + 16, fromPitch, to + 16, toPitch)
  }
}

function multiplyOne(a: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, to: usize): void {
  if (WIDE) multiplyOneByWhole(a, aStep, b, bStep, count, from, to)
  else {
    multiplyOneByHalf(a, aStep, b, bStep, count, from, to)
    multiplyOneByHalf(a, aStep, b + 16, bStep, count, from + 16, to + 16)
  }
}
