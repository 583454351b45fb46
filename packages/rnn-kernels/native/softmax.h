// The softmax of rows of logits, in float64 inside, with the bits of the loops in JavaScript. Compilers make vectors of it.
#pragma once
#include <stdint.h>
#include <string.h>
#include "softmax-job.h"

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

/** Rows at once: a sum's terms wait for one another, those of eight rows do not. And classes at once. */
enum { SUMMED_TOGETHER = 8, CHUNK = 64, MAX_LANES = 16 };

/** The largest of some logits; NaN only where the first is. */
static inline float largest(const float *logits, int classes) {
  float lanes[MAX_LANES], max = logits[0];
  int k = MAX_LANES;
  if (classes < MAX_LANES) k = 1;
  else {
    memcpy(lanes, logits, sizeof lanes);
    for (; k + MAX_LANES <= classes; k += MAX_LANES)
      for (int lane = 0; lane < MAX_LANES; lane++) lanes[lane] = logits[k + lane] > lanes[lane] ? logits[k + lane] : lanes[lane];
    for (int lane = 0; lane < MAX_LANES; lane++) max = lanes[lane] > max ? lanes[lane] : max;
  }
  for (; k < classes; k++) max = logits[k] > max ? logits[k] : max;
  return max;
}

/**
 * probabilities = exp(z − max z) · 1 / Σ exp(z − max z) of a few rows; totals has max z and that sum of each. NaN and infinite logits make a
 * row of NaN.
 */
static void softmaxOfRows(const float *logits, int rows, int classes, float *probabilities, double *totals) {
  double exponentials[SUMMED_TOGETHER][CHUNK], sums[SUMMED_TOGETHER] = {0};
  for (int r = 0; r < rows; r++) totals[2 * r] = largest(logits + (int64_t)r * classes, classes);
  for (int first = 0; first < classes; first += CHUNK) {
    int count = classes - first < CHUNK ? classes - first : CHUNK;
    for (int r = 0; r < rows; r++) {
      const float *z = logits + (int64_t)r * classes + first;
      float *p = probabilities + (int64_t)r * classes + first;
      for (int k = 0; k < count; k++) exponentials[r][k] = exponential((double)z[k] - totals[2 * r]);
      for (int k = 0; k < count; k++) p[k] = (float)exponentials[r][k];
    }
    for (int k = 0; k < count; k++)
      for (int r = 0; r < SUMMED_TOGETHER; r++) sums[r] += r < rows ? exponentials[r][k] : 0;
  }
  for (int r = 0; r < rows; r++, probabilities += classes) {
    double scale = 1 / sums[r];
    for (int k = 0; k < classes; k++) probabilities[k] = (float)((double)probabilities[k] * scale);
    totals[2 * r + 1] = sums[r];
  }
}

/** The first row of a part. */
static inline int rowOfPart(const SoftmaxJob *j, int part) { return (int)((int64_t)j->rows * part / j->parts); }

static void softmax(const void *job, int part, int thread) {
  (void)thread;
  const SoftmaxJob *j = job;
  int end = rowOfPart(j, part + 1);
  for (int row = rowOfPart(j, part); row < end; row += SUMMED_TOGETHER) {
    int64_t at = (int64_t)row * j->classes;
    softmaxOfRows(j->logits + at, end - row < SUMMED_TOGETHER ? end - row : SUMMED_TOGETHER, j->classes, j->probabilities + at, j->totals + 2 * (int64_t)row);
  }
}

/** Makes of probabilities the gradient of a cross-entropy, (p − [k = target])·upstream. */
static void softmaxGradient(const void *job, int part, int thread) {
  (void)thread;
  const SoftmaxJob *j = job;
  for (int row = rowOfPart(j, part); row < rowOfPart(j, part + 1); row++) {
    float *p = j->probabilities + (int64_t)row * j->classes, upstream = j->upstream[row * j->upstreamRow];
    p[j->targets[row]] -= 1;
    for (int k = 0; k < j->classes; k++) p[k] *= upstream;
  }
}
