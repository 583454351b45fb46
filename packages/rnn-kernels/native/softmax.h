// The softmax of rows of logits, in float64 inside, with the bits of the loop in JavaScript. Compilers make vectors of it.
#pragma once
#include <stdint.h>
#include <string.h>

/**
 * e^x for x ≤ 0 as Math.exp of V8 has it, bit for bit: the method of fdlibm (Sun Microsystems 1993). x = k·ln 2 + r with |r| ≤ ln 2 / 2;
 * c = r − r²·(P₁ + r²·(P₂ + …)), e^r = 1 − ((lo − r·c/(2 − c)) − hi), where hi − lo = r; and that times 2^k. Without branches.
 */
static inline double exponential(double x) {
  double size = -x;
  double k = __builtin_trunc(1.44269504088896338700 * x - 0.5);
  k = size < 0x1.0a2b2p+0 ? -1 : k; // up to 1.5·ln 2
  k = size < 0x1.62e43p-2 ? 0 : k;  // up to 0.5·ln 2
  double hi = x - k * 6.93147180369123816490e-01, lo = k * 1.90821492927058770002e-10;
  double r = hi - lo, t = r * r;
  double c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03 + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
  double y = 1 - ((lo - (r * c) / (2 - c)) - hi);
  double biased = k + (4503599627370496.0 + 1023); // 2^52: the exponent is in the low bits
  uint64_t bits;
  memcpy(&bits, &biased, sizeof bits);
  bits <<= 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  y *= power;
  y = size < 0x1p-28 ? 1 + x : y;
  return size > 700 ? 0 : y; // far below the last bit of a sum that is at least 1
}

/**
 * probabilities = exp(z − max z) / Σ exp(z − max z) of each row; totals has max z and that sum of every row, `room` is for one row. NaN and
 * infinite logits make a row of NaN.
 */
static void softmax(const float *logits, int rows, int classes, float *probabilities, double *totals, double *room) {
  for (int row = 0; row < rows; row++, logits += classes, probabilities += classes, totals += 2) {
    float max = logits[0];
    for (int k = 1; k < classes; k++) max = logits[k] > max ? logits[k] : max;
    for (int k = 0; k < classes; k++) room[k] = exponential((double)logits[k] - (double)max);
    double total = 0;
    for (int k = 0; k < classes; k++) total += room[k];
    for (int k = 0; k < classes; k++) probabilities[k] = (float)((double)(float)room[k] / total);
    totals[0] = max, totals[1] = total;
  }
}
