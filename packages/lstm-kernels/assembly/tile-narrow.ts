// Register tiles for vectors of 128 bits.

import { fma } from './arithmetic'

/** Six rows by eight columns, a quarter of a panel: twelve accumulators, two right operands and one left one. */
export function multiplySixByTwo(
  a: usize, aPitch: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, fromPitch: usize, to: usize, toPitch: usize,
): void {
  let a1 = a + aPitch
  let a2 = a1 + aPitch
  let a3 = a2 + aPitch
  let a4 = a3 + aPitch
  let a5 = a4 + aPitch
  let at = from
  let c00 = v128.load(at, 0)
  let c01 = v128.load(at, 16)
  at += fromPitch
  let c10 = v128.load(at, 0)
  let c11 = v128.load(at, 16)
  at += fromPitch
  let c20 = v128.load(at, 0)
  let c21 = v128.load(at, 16)
  at += fromPitch
  let c30 = v128.load(at, 0)
  let c31 = v128.load(at, 16)
  at += fromPitch
  let c40 = v128.load(at, 0)
  let c41 = v128.load(at, 16)
  at += fromPitch
  let c50 = v128.load(at, 0)
  let c51 = v128.load(at, 16)
  for (const end = b + bStep * <usize>count; b != end; ) {
    const b0 = v128.load(b, 0)
    const b1 = v128.load(b, 16)
    const p0 = v128.load32_splat(a)
    c00 = fma(p0, b0, c00)
    c01 = fma(p0, b1, c01)
    const p1 = v128.load32_splat(a1)
    c10 = fma(p1, b0, c10)
    c11 = fma(p1, b1, c11)
    const p2 = v128.load32_splat(a2)
    c20 = fma(p2, b0, c20)
    c21 = fma(p2, b1, c21)
    const p3 = v128.load32_splat(a3)
    c30 = fma(p3, b0, c30)
    c31 = fma(p3, b1, c31)
    const p4 = v128.load32_splat(a4)
    c40 = fma(p4, b0, c40)
    c41 = fma(p4, b1, c41)
    const p5 = v128.load32_splat(a5)
    c50 = fma(p5, b0, c50)
    c51 = fma(p5, b1, c51)
    a += aStep
    a1 += aStep
    a2 += aStep
    a3 += aStep
    a4 += aStep
    a5 += aStep
    b += bStep
  }
  v128.store(to, c00, 0)
  v128.store(to, c01, 16)
  to += toPitch
  v128.store(to, c10, 0)
  v128.store(to, c11, 16)
  to += toPitch
  v128.store(to, c20, 0)
  v128.store(to, c21, 16)
  to += toPitch
  v128.store(to, c30, 0)
  v128.store(to, c31, 16)
  to += toPitch
  v128.store(to, c40, 0)
  v128.store(to, c41, 16)
  to += toPitch
  v128.store(to, c50, 0)
  v128.store(to, c51, 16)
}

/** Two rows by vectors 0, 2, 4 and 6 of a panel: eight accumulators. */
export function multiplyTwoByHalf(
  a: usize, aPitch: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, fromPitch: usize, to: usize, toPitch: usize,
): void {
  let a1 = a + aPitch
  const from1 = from + fromPitch
  let c00 = v128.load(from, 0)
  let c02 = v128.load(from, 32)
  let c04 = v128.load(from, 64)
  let c06 = v128.load(from, 96)
  let c10 = v128.load(from1, 0)
  let c12 = v128.load(from1, 32)
  let c14 = v128.load(from1, 64)
  let c16 = v128.load(from1, 96)
  for (const end = b + bStep * <usize>count; b != end; ) {
    const p = v128.load32_splat(a)
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
    a += aStep
    a1 += aStep
    b += bStep
  }
  v128.store(to, c00, 0)
  v128.store(to, c02, 32)
  v128.store(to, c04, 64)
  v128.store(to, c06, 96)
  to += toPitch
  v128.store(to, c10, 0)
  v128.store(to, c12, 32)
  v128.store(to, c14, 64)
  v128.store(to, c16, 96)
}

/** One row by vectors 0, 2, 4 and 6 of a panel. */
export function multiplyOneByHalf(
  a: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, to: usize,
): void {
  let c0 = v128.load(from, 0)
  let c2 = v128.load(from, 32)
  let c4 = v128.load(from, 64)
  let c6 = v128.load(from, 96)
  for (const end = b + bStep * <usize>count; b != end; ) {
    const p = v128.load32_splat(a)
    c0 = fma(p, v128.load(b, 0), c0)
    c2 = fma(p, v128.load(b, 32), c2)
    c4 = fma(p, v128.load(b, 64), c4)
    c6 = fma(p, v128.load(b, 96), c6)
    a += aStep
    b += bStep
  }
  v128.store(to, c0, 0)
  v128.store(to, c2, 32)
  v128.store(to, c4, 64)
  v128.store(to, c6, 96)
}
