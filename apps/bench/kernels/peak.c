// How fast a core multiplies and adds: sums as a matrix product makes them, operands from the nearest cache. The number of independent
// sums must hide the latency of a multiply-add; which number does, differs by processor, so the fastest counts.

typedef float Vector __attribute__((vector_size(16)));

#ifdef __wasm_relaxed_simd__
#define MULTIPLY_ADD(a, b, c) __builtin_wasm_relaxed_madd_f32x4(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((c) + (a) * (b))
#endif
#define EXPORT __attribute__((visibility("default"), used))
#define UNROLL _Pragma("clang loop unroll(full)")

static const float operands[256] = {1};

/** `loads` operands of four lanes, each multiplied by `shared` factors, `rounds` times: loads · shared · 8 floating-point operations a round. */
static inline __attribute__((always_inline)) float sums(const int loads, const int shared, int rounds) {
  const Vector factors[2] = {{0.5f, 0.5f, 0.5f, 0.5f}, {0.25f, 0.25f, 0.25f, 0.25f}};
  Vector sum[12];
  UNROLL for (int k = 0; k < loads * shared; k++) sum[k] = factors[0];
  for (int round = 0; round < rounds; round++) {
    const float *at = operands + (round & 7) * 32;
    __asm__ volatile("" : "+r"(at)); // or the loads would be done once
    UNROLL for (int k = 0; k < loads; k++) {
      Vector operand = *(const Vector *)(at + 4 * k);
      UNROLL for (int f = 0; f < shared; f++) sum[k * shared + f] = MULTIPLY_ADD(operand, factors[f], sum[k * shared + f]);
    }
  }
  Vector total = sum[0];
  UNROLL for (int k = 1; k < loads * shared; k++) total += sum[k];
  return total[0];
}

/** Eight sums: 64 operations a round. */
EXPORT float eightSums(int rounds) { return sums(8, 1, rounds); }

/** Twelve sums that share their loads by two: 96 operations a round. */
EXPORT float twelveSums(int rounds) { return sums(6, 2, rounds); }
