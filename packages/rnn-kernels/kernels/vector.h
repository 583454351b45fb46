// Vectors of LANES floats, and everything here that depends on the processor. Sources elsewhere have no intrinsics.
//
// Every fused multiply-add is written out, and nothing else is fused (-ffp-contract=off), so all builds that fuse agree
// to the last bit. Builds without fused instructions round twice, all of them alike.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/** Floats in a vector. */
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__) && defined(__FMA__)
#define LANES 8
#else
#define LANES 4
#endif

/** Floats that a column of a product is wide: as many hidden units lie side by side. Two vectors of four, for few rows to have enough sums. */
#define WIDTH (LANES < 8 ? 8 : LANES)
/** Vectors in that. */
#define TILE_VECTORS (WIDTH / LANES)
/** Rows of a register tile. */
#define TILE_ROWS 6
/**
 * Columns that a tile of so many rows takes at once. Its sums, right operands and a left operand must fit into the registers: 32 with AVX-512 and
 * NEON, 16 of x86-64 before, of which V8 leaves 15.
 */
#if defined(__AVX512F__)
#define TILE_COLUMNS(rows) 4
#elif defined(__aarch64__)
#define TILE_COLUMNS(rows) ((rows) == 1 ? 4 : 2)
#elif LANES == 8
#define TILE_COLUMNS(rows) ((rows) <= 2 ? 4 : 2)
#else
#define TILE_COLUMNS(rows) ((rows) == 1 ? 4 : (rows) == 2 ? 2 : 1)
#endif

/** Kept as one function: the modules travel as text in the package. */
#define SHARED static __attribute__((noinline))
/** Runs seldom, so its size counts and not its speed. */
#if defined(__wasm__)
#define SMALL __attribute__((minsize))
#else
#define SMALL
#endif
/** Tells the processor that this is a waiting loop. */
#if defined(__x86_64__)
#define RELAX() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define RELAX() __asm__ volatile("yield")
#else
#define RELAX() (void)0
#endif
#if defined(__wasm__)
#define IS_WASM 1
#else
#define IS_WASM 0
#endif
#define MAYBE_UNUSED __attribute__((unused))
#define INLINE static inline __attribute__((always_inline))
#if defined(__wasm__)
#define EXPORT __attribute__((visibility("default"), used))
#else
#define EXPORT static MAYBE_UNUSED // reached by kernels.c's table
#endif

typedef float Vector __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t Integers __attribute__((vector_size(LANES * 4), aligned(4)));

INLINE Vector load(const float *at) { return *(const Vector *)at; }
INLINE void store(float *at, Vector value) { *(Vector *)at = value; }
INLINE Vector splat(float value) { return value - (Vector){}; }

/** a·b + c. */
INLINE Vector fma(Vector a, Vector b, Vector c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#elif LANES == 16
  return (Vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif LANES == 8
  return (Vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return c + a * b;
#endif
}

/** c − a·b. */
INLINE Vector fnma(Vector a, Vector b, Vector c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_nmadd_f32x4(a, b, c);
#elif LANES == 16
  return (Vector)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif LANES == 8
  return (Vector)_mm256_fnmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Vector)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return c - a * b;
#endif
}

/** mask ? a : b, lane by lane. */
INLINE Vector choose(Integers mask, Vector a, Vector b) { return (Vector)((mask & (Integers)a) | (~mask & (Integers)b)); }

/** x, but between the limits; NaN passes through. */
INLINE Vector clamp(Vector x, Vector low, Vector high) {
#if defined(__wasm_simd128__)
  return __builtin_wasm_pmax_f32x4(__builtin_wasm_pmin_f32x4(x, high), low);
#elif LANES == 16 // these return their second operand where one is NaN
  return (Vector)_mm512_max_ps((__m512)low, _mm512_min_ps((__m512)high, (__m512)x));
#elif LANES == 8
  return (Vector)_mm256_max_ps((__m256)low, _mm256_min_ps((__m256)high, (__m256)x));
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
#if defined(__wasm_simd128__)
  return __builtin_wasm_sqrt_f32x4(x);
#else
  for (int lane = 0; lane < LANES; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
#endif
}

/** Unrolls a loop in full, whatever it costs in size; and not at all. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#define ROLLED _Pragma("GCC unroll 1")
#endif

/** Keeps the compiler from moving work past this point: LLVM would compute all left operands first and spill the sums. */
#define KEEP_ADDRESS(value) __asm__ volatile("" : "+r"(value))
#if defined(__x86_64__)
#define KEEP_ORDER(value) __asm__ volatile("" : "+v"(value))
#elif defined(__aarch64__)
#define KEEP_ORDER(value) __asm__ volatile("" : "+w"(value))
#else
#define KEEP_ORDER(value) KEEP_ADDRESS(value)
#endif
