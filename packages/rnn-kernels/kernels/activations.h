// Sigmoid and tanh from one exponential, and Keras's hard sigmoid.
//
// e^r = 1 + r + r²·q(r) for |r| ≤ ln 2 / 2; q is our own minimax polynomial of degree 4, relative error of e^r − 1 1.3e-8 (an eighth of
// an ulp). Each function has its own constants, which include its signs and factors of two. That saves operations.
#pragma once
#include "vector.h"

/** Constants are read from memory, through a pointer that the compiler cannot see through: V8 would build each from an immediate, in three instructions. */
typedef struct {
  float sigmoidMin, sigmoidMax, negativeLog2e, ln2High, ln2Low, q0, q1, q2, q3, q4;
  float tanhMin, tanhMax, twoLog2e, halfLn2, r0, r1, r2, r3, r4;
  float round, one, half, negativeHalf;
} Constants;

static const Constants constants = {
  .sigmoidMin = -88.3f, .sigmoidMax = 87.3f, // e^−x is finite and 2^n normal between these
  .negativeLog2e = -1.4426950408889634f,
  .ln2High = 0.693359375f, .ln2Low = -2.12194440e-4f, // the high part has 9 bits, so its product with n is exact
  .q0 = 0.4999999701976776f, .q1 = -0.1666654348373413f, .q2 = 0.04166720062494278f, .q3 = -0.008366547524929047f, .q4 = 0.0013882516650483012f,
  .tanhMin = -9.1f, .tanhMax = 9.1f, // tanh is ±1 in float32 beyond these
  .twoLog2e = 2.8853900817779268f, .halfLn2 = 0.34657359027997264f,
  .r0 = 0.9999999403953552f, .r1 = 0.6666617393493652f, .r2 = 0.33333760499954224f, .r3 = 0.13386476039886475f, .r4 = 0.04442405328154564f,
  .round = 12583039.0f, // 1.5·2²³ + 127: adding it leaves n, rounded, and biased as an exponent is, in the low bits
  .one = 1, .half = 0.5f, .negativeHalf = -0.5f,
};

/** The constants, where the compiler does not know them. */
INLINE const Constants *constantsInMemory(void) {
  const Constants *k = &constants;
  KEEP_ADDRESS(k);
  return k;
}

/** The vectors of a group of units. Operations take turns between them, so one does not wait for the other. */
typedef struct {
  Vector v[TILE_VECTORS];
} Group;

#define EACH UNROLL for (int n = 0; n < TILE_VECTORS; n++)
/** A group, computed vector by vector from an expression of `n`. */
#define GROUP(name, expression) \
  Group name; \
  EACH name.v[n] = (expression)

/**
 * σ(x) = 1 / (1 + e^−x), e^−x = 2^n·e^−s with n = round(−x / ln 2) and s = x + n·ln 2. The limits keep 2^n in range. NaN passes through.
 */
INLINE Group sigmoid(Group x, const Constants *k) {
  GROUP(y, clamp(x.v[n], splat(k->sigmoidMin), splat(k->sigmoidMax)));
  GROUP(shifted, fma(y.v[n], splat(k->negativeLog2e), splat(k->round)));
  GROUP(whole, shifted.v[n] - splat(k->round));
  GROUP(s, fma(whole.v[n], splat(k->ln2Low), fma(whole.v[n], splat(k->ln2High), y.v[n])));
  GROUP(square, s.v[n] * s.v[n]);
  GROUP(high, fma(splat(k->q4), square.v[n], fma(splat(k->q3), s.v[n], splat(k->q2))));
  GROUP(low, fma(splat(k->q1), s.v[n], splat(k->q0)));
  GROUP(q, fma(high.v[n], square.v[n], low.v[n]));
  GROUP(e, fma(q.v[n], square.v[n], splat(k->one) - s.v[n]));
  GROUP(power, (Vector)((Integers)shifted.v[n] << 23));
  GROUP(result, splat(k->one) / fma(power.v[n], e.v[n], splat(k->one)));
  return result;
}

/**
 * tanh(x) = E / (E + 1) with E = (e^2x − 1) / 2 = 2^n·m + (2^n − 1) / 2, m = (e^2r − 1) / 2 = r + 2r²·q(2r) and r = x − n·ln 2 / 2, which is
 * accurate near zero too.
 */
INLINE Group hyperbolicTangent(Group x, const Constants *k) {
  GROUP(y, clamp(x.v[n], splat(k->tanhMin), splat(k->tanhMax)));
  GROUP(shifted, fma(y.v[n], splat(k->twoLog2e), splat(k->round)));
  GROUP(whole, shifted.v[n] - splat(k->round));
  GROUP(r, fnma(whole.v[n], splat(k->halfLn2), y.v[n]));
  GROUP(square, r.v[n] * r.v[n]);
  GROUP(high, fma(splat(k->r4), square.v[n], fma(splat(k->r3), r.v[n], splat(k->r2))));
  GROUP(low, fma(splat(k->r1), r.v[n], splat(k->r0)));
  GROUP(q, fma(high.v[n], square.v[n], low.v[n]));
  GROUP(m, fma(q.v[n], square.v[n], r.v[n]));
  GROUP(power, (Vector)((Integers)shifted.v[n] << 23));
  GROUP(e, fma(power.v[n], m.v[n], fma(power.v[n], splat(k->half), splat(k->negativeHalf))));
  GROUP(result, e.v[n] / (e.v[n] + splat(k->one)));
  return result;
}

INLINE Group loadGroup(const float *at) {
  GROUP(x, load(at + n * LANES));
  return x;
}

INLINE void storeGroup(float *at, Group x) { EACH store(at + n * LANES, x.v[n]); }

/** Keras's hard sigmoid: 0.2·x + 0.5, clipped to [0, 1]. */
INLINE Group hardSigmoid(Group x) {
  GROUP(y, clamp(x.v[n] * splat(0.2f) + splat(0.5f), splat(0), splat(1)));
  return y;
}

/** The activation of a gate. */
INLINE Group gateOf(const int hard, Group x, const Constants *k) { return hard ? hardSigmoid(x) : sigmoid(x, k); }

/** Its derivative, from its value y: y(1 − y), or 0.2 where the hard one is not clipped. */
INLINE Vector gateSlope(const int hard, Vector y) {
  if (!hard) return fnma(y, y, y);
  return choose((y > splat(0)) & (y < splat(1)), splat(0.2f), splat(0));
}
