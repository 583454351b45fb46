// Register tiles for vectors of 256 bits: every two vectors that lie side by side are one of them to an engine that makes one
// operation of two (V8's revectorizer).

import { fma } from './arithmetic'

/** Six rows by sixteen columns, half of a panel: twelve accumulators of 256 bits, two right operands and one left one. */
export function multiplySixByFour(
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
  let c02 = v128.load(at, 32)
  let c03 = v128.load(at, 48)
  at += fromPitch
  let c10 = v128.load(at, 0)
  let c11 = v128.load(at, 16)
  let c12 = v128.load(at, 32)
  let c13 = v128.load(at, 48)
  at += fromPitch
  let c20 = v128.load(at, 0)
  let c21 = v128.load(at, 16)
  let c22 = v128.load(at, 32)
  let c23 = v128.load(at, 48)
  at += fromPitch
  let c30 = v128.load(at, 0)
  let c31 = v128.load(at, 16)
  let c32 = v128.load(at, 32)
  let c33 = v128.load(at, 48)
  at += fromPitch
  let c40 = v128.load(at, 0)
  let c41 = v128.load(at, 16)
  let c42 = v128.load(at, 32)
  let c43 = v128.load(at, 48)
  at += fromPitch
  let c50 = v128.load(at, 0)
  let c51 = v128.load(at, 16)
  let c52 = v128.load(at, 32)
  let c53 = v128.load(at, 48)
  for (const end = b + bStep * <usize>count; b != end; ) {
    const b0 = v128.load(b, 0)
    const b1 = v128.load(b, 16)
    const b2 = v128.load(b, 32)
    const b3 = v128.load(b, 48)
    const p0 = v128.load32_splat(a)
    c00 = fma(p0, b0, c00)
    c01 = fma(p0, b1, c01)
    c02 = fma(p0, b2, c02)
    c03 = fma(p0, b3, c03)
    const p1 = v128.load32_splat(a1)
    c10 = fma(p1, b0, c10)
    c11 = fma(p1, b1, c11)
    c12 = fma(p1, b2, c12)
    c13 = fma(p1, b3, c13)
    const p2 = v128.load32_splat(a2)
    c20 = fma(p2, b0, c20)
    c21 = fma(p2, b1, c21)
    c22 = fma(p2, b2, c22)
    c23 = fma(p2, b3, c23)
    const p3 = v128.load32_splat(a3)
    c30 = fma(p3, b0, c30)
    c31 = fma(p3, b1, c31)
    c32 = fma(p3, b2, c32)
    c33 = fma(p3, b3, c33)
    const p4 = v128.load32_splat(a4)
    c40 = fma(p4, b0, c40)
    c41 = fma(p4, b1, c41)
    c42 = fma(p4, b2, c42)
    c43 = fma(p4, b3, c43)
    const p5 = v128.load32_splat(a5)
    c50 = fma(p5, b0, c50)
    c51 = fma(p5, b1, c51)
    c52 = fma(p5, b2, c52)
    c53 = fma(p5, b3, c53)
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
  v128.store(to, c02, 32)
  v128.store(to, c03, 48)
  to += toPitch
  v128.store(to, c10, 0)
  v128.store(to, c11, 16)
  v128.store(to, c12, 32)
  v128.store(to, c13, 48)
  to += toPitch
  v128.store(to, c20, 0)
  v128.store(to, c21, 16)
  v128.store(to, c22, 32)
  v128.store(to, c23, 48)
  to += toPitch
  v128.store(to, c30, 0)
  v128.store(to, c31, 16)
  v128.store(to, c32, 32)
  v128.store(to, c33, 48)
  to += toPitch
  v128.store(to, c40, 0)
  v128.store(to, c41, 16)
  v128.store(to, c42, 32)
  v128.store(to, c43, 48)
  to += toPitch
  v128.store(to, c50, 0)
  v128.store(to, c51, 16)
  v128.store(to, c52, 32)
  v128.store(to, c53, 48)
}

/** Two rows by a whole panel: eight accumulators of 256 bits. */
export function multiplyTwoByWhole(
  a: usize, aPitch: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, fromPitch: usize, to: usize, toPitch: usize,
): void {
  let a1 = a + aPitch
  const from1 = from + fromPitch
  let c00 = v128.load(from, 0)
  let c01 = v128.load(from, 16)
  let c02 = v128.load(from, 32)
  let c03 = v128.load(from, 48)
  let c04 = v128.load(from, 64)
  let c05 = v128.load(from, 80)
  let c06 = v128.load(from, 96)
  let c07 = v128.load(from, 112)
  let c10 = v128.load(from1, 0)
  let c11 = v128.load(from1, 16)
  let c12 = v128.load(from1, 32)
  let c13 = v128.load(from1, 48)
  let c14 = v128.load(from1, 64)
  let c15 = v128.load(from1, 80)
  let c16 = v128.load(from1, 96)
  let c17 = v128.load(from1, 112)
  for (const end = b + bStep * <usize>count; b != end; ) {
    const p = v128.load32_splat(a)
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
    a += aStep
    a1 += aStep
    b += bStep
  }
  v128.store(to, c00, 0)
  v128.store(to, c01, 16)
  v128.store(to, c02, 32)
  v128.store(to, c03, 48)
  v128.store(to, c04, 64)
  v128.store(to, c05, 80)
  v128.store(to, c06, 96)
  v128.store(to, c07, 112)
  to += toPitch
  v128.store(to, c10, 0)
  v128.store(to, c11, 16)
  v128.store(to, c12, 32)
  v128.store(to, c13, 48)
  v128.store(to, c14, 64)
  v128.store(to, c15, 80)
  v128.store(to, c16, 96)
  v128.store(to, c17, 112)
}

/** One row by a whole panel. */
export function multiplyOneByWhole(
  a: usize, aStep: usize, b: usize, bStep: usize, count: i32, from: usize, to: usize,
): void {
  let c0 = v128.load(from, 0)
  let c1 = v128.load(from, 16)
  let c2 = v128.load(from, 32)
  let c3 = v128.load(from, 48)
  let c4 = v128.load(from, 64)
  let c5 = v128.load(from, 80)
  let c6 = v128.load(from, 96)
  let c7 = v128.load(from, 112)
  for (const end = b + bStep * <usize>count; b != end; ) {
    const p = v128.load32_splat(a)
    c0 = fma(p, v128.load(b, 0), c0)
    c1 = fma(p, v128.load(b, 16), c1)
    c2 = fma(p, v128.load(b, 32), c2)
    c3 = fma(p, v128.load(b, 48), c3)
    c4 = fma(p, v128.load(b, 64), c4)
    c5 = fma(p, v128.load(b, 80), c5)
    c6 = fma(p, v128.load(b, 96), c6)
    c7 = fma(p, v128.load(b, 112), c7)
    a += aStep
    b += bStep
  }
  v128.store(to, c0, 0)
  v128.store(to, c1, 16)
  v128.store(to, c2, 32)
  v128.store(to, c3, 48)
  v128.store(to, c4, 64)
  v128.store(to, c5, 80)
  v128.store(to, c6, 96)
  v128.store(to, c7, 112)
}
