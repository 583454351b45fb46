// Vectors of LANES floats, and everything here that depends on the processor. Sources elsewhere have no intrinsics.
//
// Every fused multiply-add is written out, and nothing else is fused (-ffp-contract=off), so all builds that fuse agree
// to the last bit. Builds without fused instructions round twice, all of them alike.
#pragma once
#include <stdint.h>

/** Floats in a vector: 4 on WebAssembly and NEON, 8 with AVX2, 16 with AVX-512, 1 for plain JavaScript. */
#ifndef LANES
#define LANES 4
#endif
/** Vectors side by side in a register tile. */
#ifndef TILE_VECTORS
#define TILE_VECTORS (8 / LANES)
#endif
/** Rows of a register tile. Sums, right operands and a left operand must fit into the registers. */
#ifndef TILE_ROWS
#define TILE_ROWS 6
#endif

/** Floats that a tile is wide: as many hidden units lie side by side. */
enum { WIDTH = LANES * TILE_VECTORS };

/** Kept as one function: the modules travel as text in the package. */
#define SHARED static __attribute__((noinline))
/** Runs seldom, so its size counts and not its speed. */
#define SMALL __attribute__((minsize))
#define INLINE static inline __attribute__((always_inline))
#define EXPORT __attribute__((visibility("default"), used))

typedef float Vector __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t Integers __attribute__((vector_size(LANES * 4), aligned(4)));

INLINE Vector load(const float *at) { return *(const Vector *)at; }
INLINE void store(float *at, Vector value) { *(Vector *)at = value; }
INLINE Vector splat(float value) { return value - (Vector){}; }

/** a·b + c. */
INLINE Vector fma(Vector a, Vector b, Vector c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return c + a * b;
#endif
}

/** c − a·b. */
INLINE Vector fnma(Vector a, Vector b, Vector c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_nmadd_f32x4(a, b, c);
#else
  return c - a * b;
#endif
}

/** mask ? a : b, lane by lane. */
INLINE Vector choose(Integers mask, Vector a, Vector b) { return (Vector)((mask & (Integers)a) | (~mask & (Integers)b)); }

/** x, but between the limits; NaN passes through. */
INLINE Vector clamp(Vector x, Vector low, Vector high) {
#if defined(__wasm_simd128__) && LANES == 4
  return __builtin_wasm_pmax_f32x4(__builtin_wasm_pmin_f32x4(x, high), low);
#else
  x = choose(high < x, high, x);
  return choose(x < low, low, x);
#endif
}

/**
 * x, or 0 where it is so small that its products would be subnormal, which processors compute a hundred times slower. Gradients get
 * there after some hundred steps of a forget gate of a half; what is dropped is below 2⁻⁹⁰.
 */
INLINE Vector withoutTraces(Vector x) {
  Integers magnitude = (Integers)x & 0x7fffffff;
  return (Vector)((Integers)x & (magnitude > 0x12800000));
}

INLINE Vector squareRoot(Vector x) {
#if defined(__wasm_simd128__) && LANES == 4
  return __builtin_wasm_sqrt_f32x4(x);
#else
  for (int lane = 0; lane < LANES; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
#endif
}

/** Unrolls a loop in full, whatever it costs in size. */
#define UNROLL _Pragma("clang loop unroll(full)")

/** Keeps the compiler from moving work past this point: LLVM would compute all left operands first and spill the sums. */
#if LANES > 1
#define KEEP_ORDER(value) __asm__ volatile("" : "+r"(value))
#else
#define KEEP_ORDER(value)
#endif
