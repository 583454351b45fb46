import { GATE_PITCH_PADDING } from '../src/job-fields'

/** a·b + c in each lane: fused where the build has relaxed SIMD, in two roundings elsewhere. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(c, f32x4.mul(a, b))
}

/** c − a·b in each lane, likewise. */
// @ts-ignore: decorator
@inline
export function fnma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c)
  return f32x4.sub(c, f32x4.mul(a, b))
}

/** The next multiple of four. */
// @ts-ignore: decorator
@inline
export function ceil4(n: i32): i32 {
  return (n + 3) & ~3
}

/** The next multiple of eight, the hidden units of a panel. */
// @ts-ignore: decorator
@inline
export function ceil8(n: i32): i32 {
  return (n + 7) & ~7
}

/** A word of the job. */
// @ts-ignore: decorator
@inline
export function field(job: usize, index: i32): i32 {
  return load<i32>(job + (<usize>index << 2))
}

/** An address in the job. */
// @ts-ignore: decorator
@inline
export function address(job: usize, index: i32): usize {
  return <usize>load<u32>(job + (<usize>index << 2))
}

/** Bytes from one row of gates' gradients to the next. */
// @ts-ignore: decorator
@inline
export function gatePitchOf(hiddenPadded: i32): usize {
  return <usize>(4 * hiddenPadded + GATE_PITCH_PADDING) << 2
}
