// Sigmoid and tanh of four lanes, from one exponential.
//
// e^r = 1 + r + r²·q(r) for |r| ≤ ln 2 / 2; q is our own minimax polynomial of degree 4, relative error of e^r − 1 1.3e-8 (an eighth of
// an ulp). Each function has constants of its own, in which its signs and its factors of two are: that saves operations, and a
// processor does hardly two of them at a time.

import { fma, fnma } from './arithmetic'

// Vector constants lie in memory, eight lanes each: V8 would build each from an immediate, in three instructions for one load.
// Where an engine makes one 256-bit operation of two vectors that lie side by side, the left one takes the first four lanes and the right
// one the others; elsewhere both take the first, one load for both.
const CONSTANTS = memory.data<f32>(
  [
    -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, -1.4426950408889634, // −1 / ln 2
    0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, 0.693359375, // ln 2, high part: 9 bits, so that its product with n is exact
    -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, // ln 2, low part
    0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, 0.4999999701976776, // q(−s), from the constant term up
    -0.1666654348373413, -0.1666654348373413, -0.1666654348373413, -0.1666654348373413, -0.1666654348373413, -0.1666654348373413, -0.1666654348373413, -0.1666654348373413,
    0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278, 0.04166720062494278,
    -0.008366547524929047, -0.008366547524929047, -0.008366547524929047, -0.008366547524929047, -0.008366547524929047, -0.008366547524929047, -0.008366547524929047, -0.008366547524929047,
    0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012, 0.0013882516650483012,
    87.3, 87.3, 87.3, 87.3, 87.3, 87.3, 87.3, 87.3, // e^−x is finite and 2^n normal between these two
    -88.3, -88.3, -88.3, -88.3, -88.3, -88.3, -88.3, -88.3,
    2.8853900817779268, 2.8853900817779268, 2.8853900817779268, 2.8853900817779268, 2.8853900817779268, 2.8853900817779268, 2.8853900817779268, 2.8853900817779268, // 2 / ln 2
    0.34657359027997264, 0.34657359027997264, 0.34657359027997264, 0.34657359027997264, 0.34657359027997264, 0.34657359027997264, 0.34657359027997264, 0.34657359027997264, // half of ln 2, likewise
    -1.06097220e-4, -1.06097220e-4, -1.06097220e-4, -1.06097220e-4, -1.06097220e-4, -1.06097220e-4, -1.06097220e-4, -1.06097220e-4,
    0.9999999403953552, 0.9999999403953552, 0.9999999403953552, 0.9999999403953552, 0.9999999403953552, 0.9999999403953552, 0.9999999403953552, 0.9999999403953552, // 2·q(2r), from the constant term up
    0.6666617393493652, 0.6666617393493652, 0.6666617393493652, 0.6666617393493652, 0.6666617393493652, 0.6666617393493652, 0.6666617393493652, 0.6666617393493652,
    0.33333760499954224, 0.33333760499954224, 0.33333760499954224, 0.33333760499954224, 0.33333760499954224, 0.33333760499954224, 0.33333760499954224, 0.33333760499954224,
    0.13386476039886475, 0.13386476039886475, 0.13386476039886475, 0.13386476039886475, 0.13386476039886475, 0.13386476039886475, 0.13386476039886475, 0.13386476039886475,
    0.04442405328154564, 0.04442405328154564, 0.04442405328154564, 0.04442405328154564, 0.04442405328154564, 0.04442405328154564, 0.04442405328154564, 0.04442405328154564,
    9.1, 9.1, 9.1, 9.1, 9.1, 9.1, 9.1, 9.1, // beyond 9.1 tanh is 1 in float32
    -9.1, -9.1, -9.1, -9.1, -9.1, -9.1, -9.1, -9.1,
    12583039, 12583039, 12583039, 12583039, 12583039, 12583039, 12583039, 12583039, // 1.5·2^23 + 127: adding it leaves n, rounded and biased as an exponent is, in the low bits
    1, 1, 1, 1, 1, 1, 1, 1,
    0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5,
    -0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5,
  ],
  64,
)
const LOG2E_NEGATIVE: usize = 0
const LN2_HIGH: usize = 32
const LN2_LOW: usize = 64
const Q0: usize = 96
const Q1: usize = 128
const Q2: usize = 160
const Q3: usize = 192
const Q4: usize = 224
const SIGMOID_MAX: usize = 256
const SIGMOID_MIN: usize = 288
const TWO_LOG2E: usize = 320
const HALF_LN2_HIGH: usize = 352
const HALF_LN2_LOW: usize = 384
const R0: usize = 416
const R1: usize = 448
const R2: usize = 480
const R3: usize = 512
const R4: usize = 544
const TANH_MAX: usize = 576
const TANH_MIN: usize = 608
const ROUND: usize = 640
const ONE: usize = 672
const HALF: usize = 704
const HALF_NEGATIVE: usize = 736
const CONSTANTS_BYTES: usize = 768

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

/** Where a side's lanes are in a constant. */
// @ts-ignore: decorator
@inline
function lanes<Side>(): usize {
  return WIDE ? offsetof<Side>() : 0
}

/**
 * σ(x) = 1 / (1 + e^−x), e^−x = 2^n·e^−s with n = round(−x / ln 2) and s = x + n·ln 2. The limits keep 2^n in range; NaN passes through,
 * because pmin and pmax return it.
 */
// @ts-ignore: decorator
@inline
export function sigmoid<Side>(x: v128, constants: usize): v128 {
  const one = v128.load(constants, ONE + lanes<Side>())
  const y = f32x4.pmax(f32x4.pmin(x, v128.load(constants, SIGMOID_MAX + lanes<Side>())), v128.load(constants, SIGMOID_MIN + lanes<Side>()))
  const shifted = fma(y, v128.load(constants, LOG2E_NEGATIVE + lanes<Side>()), v128.load(constants, ROUND + lanes<Side>()))
  const n = f32x4.sub(shifted, v128.load(constants, ROUND + lanes<Side>()))
  const s = fma(n, v128.load(constants, LN2_LOW + lanes<Side>()), fma(n, v128.load(constants, LN2_HIGH + lanes<Side>()), y))
  const square = f32x4.mul(s, s)
  const low = fma(v128.load(constants, Q1 + lanes<Side>()), s, v128.load(constants, Q0 + lanes<Side>()))
  const high = fma(v128.load(constants, Q4 + lanes<Side>()), square, fma(v128.load(constants, Q3 + lanes<Side>()), s, v128.load(constants, Q2 + lanes<Side>())))
  const q = fma(high, square, low)
  return f32x4.div(one, fma(i32x4.shl(shifted, 23), fma(q, square, f32x4.sub(one, s)), one))
}

/**
 * tanh(x) = E / (E + 1) with E = (e^2x − 1) / 2 = 2^n·m + (2^n − 1) / 2, m = (e^2r − 1) / 2 = r + 2r²·q(2r) and r = x − n·ln 2 / 2, which is
 * accurate near zero too. Beyond ±9.1 it is ±1.
 */
// @ts-ignore: decorator
@inline
export function tanh<Side>(x: v128, constants: usize): v128 {
  const y = f32x4.pmax(f32x4.pmin(x, v128.load(constants, TANH_MAX + lanes<Side>())), v128.load(constants, TANH_MIN + lanes<Side>()))
  const shifted = fma(y, v128.load(constants, TWO_LOG2E + lanes<Side>()), v128.load(constants, ROUND + lanes<Side>()))
  const n = f32x4.sub(shifted, v128.load(constants, ROUND + lanes<Side>()))
  const r = fnma(n, v128.load(constants, HALF_LN2_HIGH + lanes<Side>()), y)
  const square = f32x4.mul(r, r)
  const low = fma(v128.load(constants, R1 + lanes<Side>()), r, v128.load(constants, R0 + lanes<Side>()))
  const high = fma(v128.load(constants, R4 + lanes<Side>()), square, fma(v128.load(constants, R3 + lanes<Side>()), r, v128.load(constants, R2 + lanes<Side>())))
  const q = fma(high, square, low)
  const m = fma(q, square, r)
  const power = i32x4.shl(shifted, 23)
  const e = fma(power, m, fma(power, v128.load(constants, HALF + lanes<Side>()), v128.load(constants, HALF_NEGATIVE + lanes<Side>())))
  return f32x4.div(e, f32x4.add(e, v128.load(constants, ONE + lanes<Side>())))
}

/** Applies an activation (0 sigmoid, 1 tanh) to `count` floats, a multiple of four; for tests. */
export function activate(which: i32, from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const x = v128.load(from + (<usize>i << 2))
    v128.store(to + (<usize>i << 2), which == 0 ? sigmoid<Left>(x, CONSTANTS) : tanh<Left>(x, CONSTANTS))
  }
}
