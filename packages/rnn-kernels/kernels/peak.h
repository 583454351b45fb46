// How fast a core multiplies and adds: independent sums as a matrix product makes them, operands from the nearest cache. What the kernels'
// products are held against.
#pragma once
#include "vector.h"

/** Factors that an operand meets: as many sums as registers allow, so that they hide how long a multiply-add takes. */
#if LANES == 16 || defined(__aarch64__)
enum { PEAK_FACTORS = 4 };
#else
enum { PEAK_FACTORS = 2 };
#endif
enum { PEAK_OPERANDS = 6 };

static const float peakOperands[8 * PEAK_OPERANDS * LANES] = {1};

/** Multiplies and adds `rounds` times; returns the floating-point operations that this takes. */
EXPORT double multiplyAdds(int rounds) {
  const Vector half = splat(0.5f);
  Vector factors[PEAK_FACTORS], sums[PEAK_OPERANDS * PEAK_FACTORS];
  UNROLL for (int f = 0; f < PEAK_FACTORS; f++) {
    factors[f] = half;
    KEEP_ORDER(factors[f]);
  }
  UNROLL for (int k = 0; k < PEAK_OPERANDS * PEAK_FACTORS; k++) sums[k] = half;
  ROLLED for (int round = 0; round < rounds; round++) {
    const float *at = peakOperands + (round & 7) * PEAK_OPERANDS * LANES;
    KEEP_ADDRESS(at); // or the loads would be done once
    UNROLL for (int k = 0; k < PEAK_OPERANDS; k++) {
      Vector operand = load(at + k * LANES);
      UNROLL for (int f = 0; f < PEAK_FACTORS; f++) {
        sums[k * PEAK_FACTORS + f] = fma(operand, factors[f], sums[k * PEAK_FACTORS + f]);
        KEEP_ORDER(sums[k * PEAK_FACTORS + f]);
      }
    }
  }
  Vector total = sums[0];
  UNROLL for (int k = 1; k < PEAK_OPERANDS * PEAK_FACTORS; k++) total += sums[k];
  // Not a number only if the sums were; a compiler that does not know that must compute them.
  return total[0] == total[0] ? 2.0 * LANES * PEAK_OPERANDS * PEAK_FACTORS * rounds : 0;
}
