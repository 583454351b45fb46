// Sigmoid and tanh of four lanes, from one exponential.
//
// e^x = 2^n · (1 + m),  n = round(x / ln 2),  r = x − n·ln 2,  m = e^r − 1 = r + r²·q(r)
//
// q is our own minimax polynomial of degree 4 on |r| ≤ ln 2 / 2, relative error of m 1.3e-8 (an eighth of an ulp).

import { fma } from './arithmetic'

// Vector constants lie in memory, four lanes each: V8 would build each from an immediate, in three instructions for one load.
const CONSTANTS = memory.data<f32>(
  [
    1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, // 1 / ln 2
    0.693359375, 0.693359375, 0.693359375, 0.693359375, // ln 2, high part: 9 bits, so that its product with n is exact
    -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, // ln 2, low part
    12582912, 12582912, 12582912, 12582912, // 1.5·2^23: adding it leaves the rounded integer in the low bits
    0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, // q, from the constant term up
    0.1666654348373413, 0.1666654348373413, 0.1666654348373413, 0.1666654348373413,
    0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278,
    0.008366547524929047, 0.008366547524929047, 0.008366547524929047, 0.008366547524929047,
    0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012,
    1, 1, 1, 1,
    88.3, 88.3, 88.3, 88.3, // e^x is finite and 2^n normal between these two
    -87.3, -87.3, -87.3, -87.3,
    18.2, 18.2, 18.2, 18.2, // beyond 9.1 tanh is 1 in float32
    -18.2, -18.2, -18.2, -18.2,
    2, 2, 2, 2,
  ],
  64,
)
const LOG2E: usize = 0
const LN2_HIGH: usize = 16
const LN2_LOW: usize = 32
const ROUND: usize = 48
const Q0: usize = 64
const Q1: usize = 80
const Q2: usize = 96
const Q3: usize = 112
const Q4: usize = 128
const ONE: usize = 144
const SIGMOID_MAX: usize = 160
const SIGMOID_MIN: usize = 176
const TANH_MAX: usize = 192
const TANH_MIN: usize = 208
const TWO: usize = 224

// @ts-ignore: decorator
@inline
function constant(offset: usize): v128 {
  return v128.load(CONSTANTS + offset)
}

/** m = e^r − 1 for |r| ≤ ln 2 / 2. */
// @ts-ignore: decorator
@inline
function expm1Reduced(r: v128): v128 {
  let q = fma(constant(Q4), r, constant(Q3))
  q = fma(q, r, constant(Q2))
  q = fma(q, r, constant(Q1))
  q = fma(q, r, constant(Q0))
  return fma(f32x4.mul(r, r), q, r)
}

/** r = x − n·ln 2, in two steps so that the difference is exact. */
// @ts-ignore: decorator
@inline
function reduce(x: v128, n: v128): v128 {
  const r = f32x4.sub(x, f32x4.mul(n, constant(LN2_HIGH)))
  return f32x4.sub(r, f32x4.mul(n, constant(LN2_LOW)))
}

/** σ(x) = 1 / (1 + e^−x). The limits keep 2^n in range; NaN passes through, because pmin and pmax return it. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const y = f32x4.pmax(f32x4.pmin(f32x4.neg(x), constant(SIGMOID_MAX)), constant(SIGMOID_MIN))
  const shifted = f32x4.add(f32x4.mul(y, constant(LOG2E)), constant(ROUND))
  const m = expm1Reduced(reduce(y, f32x4.sub(shifted, constant(ROUND))))
  const one = constant(ONE)
  const power = i32x4.add(f32x4.add(m, one), i32x4.shl(shifted, 23))
  return f32x4.div(one, f32x4.add(power, one))
}

/** tanh(x) = E / (E + 2) with E = e^2x − 1 = 2^n·m + (2^n − 1), which is accurate near zero too. Beyond ±9.1 it is ±1. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const y = f32x4.pmax(f32x4.pmin(f32x4.add(x, x), constant(TANH_MAX)), constant(TANH_MIN))
  const shifted = f32x4.add(f32x4.mul(y, constant(LOG2E)), constant(ROUND))
  const m = expm1Reduced(reduce(y, f32x4.sub(shifted, constant(ROUND))))
  const one = constant(ONE)
  const power = i32x4.add(one, i32x4.shl(shifted, 23))
  const e = fma(power, m, f32x4.sub(power, one))
  return f32x4.div(e, f32x4.add(e, constant(TWO)))
}

/** Applies an activation (0 sigmoid, 1 tanh) to `count` floats, a multiple of four; for tests. */
export function activate(which: i32, from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(from + (<usize>i << 2))
    v128.store(to + (<usize>i << 2), which == 0 ? sigmoid(x) : tanh(x))
  }
}
