// The micro-kernels: register tiles of one or two rows by 16 columns. Two rows are eight accumulators, four right and two
// left operands: as many registers as x86-64 and V8 leave. The accumulators come from and go to `tile`, two rows of 16 floats.
//
// The loops are not unrolled: V8 then moves the loads up and runs out of registers (measured, 32 against 24 GFLOP/s).

import { fma } from './arithmetic'

/**
 * tile[0..1][0..15] += Σ_k a0[k], a1[k] · b[k][0..15], with so many bytes from one k to the next. Two rows of a product have
 * aStep 4 and bStep 64; two columns of the weight gradients, summed over rows, have the pitches of their matrices.
 */
export function multiplyAdd(a0: usize, a1: usize, aStep: usize, b: usize, bStep: usize, count: i32, tile: usize): void {
  let c00 = v128.load(tile, 0)
  let c01 = v128.load(tile, 16)
  let c02 = v128.load(tile, 32)
  let c03 = v128.load(tile, 48)
  let c10 = v128.load(tile, 64)
  let c11 = v128.load(tile, 80)
  let c12 = v128.load(tile, 96)
  let c13 = v128.load(tile, 112)
  for (let k = 0; k < count; k++) {
    const p = v128.load32_splat(a0)
    const q = v128.load32_splat(a1)
    const r0 = v128.load(b, 0)
    c00 = fma(p, r0, c00)
    c10 = fma(q, r0, c10)
    const r1 = v128.load(b, 16)
    c01 = fma(p, r1, c01)
    c11 = fma(q, r1, c11)
    const r2 = v128.load(b, 32)
    c02 = fma(p, r2, c02)
    c12 = fma(q, r2, c12)
    const r3 = v128.load(b, 48)
    c03 = fma(p, r3, c03)
    c13 = fma(q, r3, c13)
    a0 += aStep
    a1 += aStep
    b += bStep
  }
  v128.store(tile, c00, 0)
  v128.store(tile, c01, 16)
  v128.store(tile, c02, 32)
  v128.store(tile, c03, 48)
  v128.store(tile, c10, 64)
  v128.store(tile, c11, 80)
  v128.store(tile, c12, 96)
  v128.store(tile, c13, 112)
}

/** The same for one row. */
export function multiplyRow(a: usize, b: usize, count: i32, tile: usize): void {
  let c0 = v128.load(tile, 0)
  let c1 = v128.load(tile, 16)
  let c2 = v128.load(tile, 32)
  let c3 = v128.load(tile, 48)
  for (const end = a + (<usize>count << 2); a < end; a += 4, b += 64) {
    const p = v128.load32_splat(a)
    c0 = fma(p, v128.load(b, 0), c0)
    c1 = fma(p, v128.load(b, 16), c1)
    c2 = fma(p, v128.load(b, 32), c2)
    c3 = fma(p, v128.load(b, 48), c3)
  }
  v128.store(tile, c0, 0)
  v128.store(tile, c1, 16)
  v128.store(tile, c2, 32)
  v128.store(tile, c3, 48)
}
