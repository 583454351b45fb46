// Sigmoid and tanh of four lanes, from one exponential.
//
// e^x = 2^n · (1 + m),  n = round(x / ln 2),  r = x − n·ln 2,  m = e^r − 1 = r + r²·q(r)
//
// q is our own minimax polynomial of degree 4 on |r| ≤ ln 2 / 2, relative error of m 1.3e-8 (an eighth of an ulp).

import { fma, fnma } from './arithmetic'

// Vector constants lie in memory, eight lanes each: V8 would build each from an immediate, in three instructions for one load.
// Of two vectors that lie side by side the left one takes the first four lanes, the right one the others: then an engine can make
// one 256-bit operation of both.
const CONSTANTS = memory.data<f32>(
  [
    1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634, // 1 / ln 2
    0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, // ln 2, high part: 9 bits, so that its product with n is exact
    -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, // ln 2, low part
    12582912, 12582912, 12582912, 12582912, 12582912, 12582912, 12582912, 12582912, // 1.5·2^23: adding it leaves the rounded integer in the low bits
    0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, // q, from the constant term up
    0.1666654348373413, 0.1666654348373413, 0.1666654348373413, 0.1666654348373413, 0.1666654348373413, 0.1666654348373413, 0.1666654348373413, 0.1666654348373413,
    0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278,
    0.008366547524929047, 0.008366547524929047, 0.008366547524929047, 0.008366547524929047, 0.008366547524929047, 0.008366547524929047, 0.008366547524929047, 0.008366547524929047,
    0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012,
    1, 1, 1, 1, 1, 1, 1, 1,
    88.3, 88.3, 88.3, 88.3, 88.3, 88.3, 88.3, 88.3, // e^x is finite and 2^n normal between these two
    -87.3, -87.3, -87.3, -87.3, -87.3, -87.3, -87.3, -87.3,
    18.2, 18.2, 18.2, 18.2, 18.2, 18.2, 18.2, 18.2, // beyond 9.1 tanh is 1 in float32
    -18.2, -18.2, -18.2, -18.2, -18.2, -18.2, -18.2, -18.2,
    2, 2, 2, 2, 2, 2, 2, 2,
  ],
  64,
)
const LOG2E: usize = 0
const LN2_HIGH: usize = 32
const LN2_LOW: usize = 64
const ROUND: usize = 96
const Q0: usize = 128
const Q1: usize = 160
const Q2: usize = 192
const Q3: usize = 224
const Q4: usize = 256
const ONE: usize = 288
const SIGMOID_MAX: usize = 320
const SIGMOID_MIN: usize = 352
const TANH_MAX: usize = 384
const TANH_MIN: usize = 416
const TWO: usize = 448
const CONSTANTS_BYTES: usize = 480

/**
 * Copies the constants to scratch memory. The kernels read them from there: of loads whose address it knows, V8's revectorizer
 * makes no pairs.
 */
// @ts-ignore: decorator
@inline
export function copyConstants(to: usize): void {
  memory.copy(to, CONSTANTS, CONSTANTS_BYTES)
}

/** The first of two vectors that lie side by side, or one alone: a type, since its offset must be known at compile time. */
export class Left {}
/** The second of them, 16 bytes on. */
export class Right {
  left: v128
}

/** m = e^r − 1 for |r| ≤ ln 2 / 2. */
// @ts-ignore: decorator
@inline
function expm1Reduced<Side>(r: v128, constants: usize): v128 {
  let q = fma(v128.load(constants, Q4 + offsetof<Side>()), r, v128.load(constants, Q3 + offsetof<Side>()))
  q = fma(q, r, v128.load(constants, Q2 + offsetof<Side>()))
  q = fma(q, r, v128.load(constants, Q1 + offsetof<Side>()))
  q = fma(q, r, v128.load(constants, Q0 + offsetof<Side>()))
  return fma(f32x4.mul(r, r), q, r)
}

/** r = x − n·ln 2, in two steps so that the difference is exact. */
// @ts-ignore: decorator
@inline
function reduce<Side>(x: v128, n: v128, constants: usize): v128 {
  const r = fnma(n, v128.load(constants, LN2_HIGH + offsetof<Side>()), x)
  return fnma(n, v128.load(constants, LN2_LOW + offsetof<Side>()), r)
}

/** σ(x) = 1 / (1 + e^−x). The limits keep 2^n in range; NaN passes through, because pmin and pmax return it. */
// @ts-ignore: decorator
@inline
export function sigmoid<Side>(x: v128, constants: usize): v128 {
  const y = f32x4.pmax(f32x4.pmin(f32x4.neg(x), v128.load(constants, SIGMOID_MAX + offsetof<Side>())), v128.load(constants, SIGMOID_MIN + offsetof<Side>()))
  const shifted = fma(y, v128.load(constants, LOG2E + offsetof<Side>()), v128.load(constants, ROUND + offsetof<Side>()))
  const m = expm1Reduced<Side>(reduce<Side>(y, f32x4.sub(shifted, v128.load(constants, ROUND + offsetof<Side>())), constants), constants)
  const one = v128.load(constants, ONE + offsetof<Side>())
  const power = i32x4.add(f32x4.add(m, one), i32x4.shl(shifted, 23))
  return f32x4.div(one, f32x4.add(power, one))
}

/** tanh(x) = E / (E + 2) with E = e^2x − 1 = 2^n·m + (2^n − 1), which is accurate near zero too. Beyond ±9.1 it is ±1. */
// @ts-ignore: decorator
@inline
export function tanh<Side>(x: v128, constants: usize): v128 {
  const y = f32x4.pmax(f32x4.pmin(f32x4.add(x, x), v128.load(constants, TANH_MAX + offsetof<Side>())), v128.load(constants, TANH_MIN + offsetof<Side>()))
  const shifted = fma(y, v128.load(constants, LOG2E + offsetof<Side>()), v128.load(constants, ROUND + offsetof<Side>()))
  const m = expm1Reduced<Side>(reduce<Side>(y, f32x4.sub(shifted, v128.load(constants, ROUND + offsetof<Side>())), constants), constants)
  const one = v128.load(constants, ONE + offsetof<Side>())
  const power = i32x4.add(one, i32x4.shl(shifted, 23))
  const e = fma(power, m, f32x4.sub(power, one))
  return f32x4.div(e, f32x4.add(e, v128.load(constants, TWO + offsetof<Side>())))
}

/** Applies an activation (0 sigmoid, 1 tanh) to `count` floats, a multiple of four; for tests. */
export function activate(which: i32, from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(from + (<usize>i << 2))
    v128.store(to + (<usize>i << 2), which == 0 ? sigmoid<Left>(x, CONSTANTS) : tanh<Left>(x, CONSTANTS))
  }
}
