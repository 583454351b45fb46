// Cho et al. 2014, with the reset gate before the product, as Keras's GRU with reset_after=False computes it:
//
//     r = σ(x_t·W_irᵀ + b_ir + h_{t-1}·W_hrᵀ + b_hr)
//     z = σ(x_t·W_izᵀ + b_iz + h_{t-1}·W_hzᵀ + b_hz)
//     n = tanh(x_t·W_inᵀ + b_in + (r·h_{t-1})·W_hnᵀ + b_hn)
//     h = (1 − z)·n + z·h_{t-1}
//
// n needs r of all units, hence the second stage.
#pragma once
#include "cells/gru.h"

INLINE void gruBeforeForward(const int hard, const Step *step) {
  const Step s = *step;
  gateOfRows(hard, s.rows, s.sums + R, s.sumsRow);
  gateOfRows(hard, s.rows, s.sums + Z, s.sumsRow);
  const float *sums = s.sums, *hBefore = s.hBefore;
  float *reset = s.reset;
  EACH_ROW(s.rows) {
    EACH_VECTOR store(reset + v, load(sums + R + v) * load(hBefore + v));
    sums += s.sumsRow, hBefore += s.hRow, reset += s.resetRow;
  }
}

/** The sum of the slot after the first ones is (r·h_{t-1})·W_hnᵀ. */
static void gruBeforeForwardReset(const Step *step) {
  const Step s = *step;
  float *sums = s.sums, *h = s.hNext;
  const float *hBefore = s.hBefore;
  const Constants *k = constantsInMemory();
  EACH_ROW(s.rows) {
    GROUP(sum, load(sums + N + n * LANES) + load(sums + M + n * LANES));
    Group new = hyperbolicTangent(sum, k);
    GROUP(out, fma(load(sums + Z + n * LANES), load(hBefore + n * LANES) - new.v[n], new.v[n]));
    storeGroup(sums + N, new), storeGroup(h, out);
    sums += s.sumsRow, hBefore += s.hRow, h += s.hRow;
  }
}

/** ṅ = h̄·(1 − z)·(1 − n²), ż = h̄·(h_{t-1} − n)·z(1 − z), and h̄·z passes on. */
INLINE void gruBeforeBackward(const int hard, const Pullback *pullback) {
  const Pullback p = *pullback;
  const float *dHidden = p.dHidden, *kept = p.kept, *hBefore = p.hBefore;
  float *carry = p.carry, *dx = p.dInput, *dh = p.dHiddenGates, *dn = p.dReset;
  const int gate = p.gate;
  const Vector one = splat(1);
  EACH_ROW(p.rows) {
    EACH_VECTOR {
      Vector z = load(kept + Z + v), new = load(kept + N + v);
      Vector total = withoutTraces(load(dHidden + v) + load(carry + v));
      Vector byN = total * (one - z) * fnma(new, new, one);
      Vector byZ = total * (load(hBefore + v) - new) * gateSlope(hard, z);
      store(carry + v, total * z);
      store(dx + gate + v, byZ), store(dx + 2 * gate + v, byN), store(dh + gate + v, byZ), store(dn + v, byN);
    }
    dHidden += p.dHiddenRow, kept += p.keptRow, hBefore += p.hRow, carry += p.carryRow;
    dx += p.dGatesRow, dh += p.dGatesRow, dn += p.dGatesRow;
  }
}

/** With q̄ = ṅ·W_hn, the gradient with respect to r·h_{t-1}: ṙ = q̄·h_{t-1}·r(1 − r), and q̄·r passes on. */
INLINE void gruBeforeBackwardReset(const int hard, const Pullback *pullback) {
  const Pullback p = *pullback;
  const float *dHidden = p.dHidden, *kept = p.kept, *hBefore = p.hBefore;
  float *carry = p.carry, *dx = p.dInput, *dh = p.dHiddenGates;
  EACH_ROW(p.rows) {
    EACH_VECTOR {
      Vector r = load(kept + R + v), q = withoutTraces(load(dHidden + v));
      Vector byR = q * load(hBefore + v) * gateSlope(hard, r);
      store(carry + v, fma(q, r, load(carry + v)));
      store(dx + v, byR), store(dh + v, byR);
    }
    dHidden += p.dHiddenRow, kept += p.keptRow, hBefore += p.hRow, carry += p.carryRow;
    dx += p.dGatesRow, dh += p.dGatesRow;
  }
}

static void gruBeforeForwardSoft(const Step *s) { gruBeforeForward(0, s); }
static void gruBeforeForwardHard(const Step *s) { gruBeforeForward(1, s); }
static void gruBeforeBackwardSoft(const Pullback *p) { gruBeforeBackward(0, p); }
static void gruBeforeBackwardHard(const Pullback *p) { gruBeforeBackward(1, p); }
static void gruBeforeBackwardResetSoft(const Pullback *p) { gruBeforeBackwardReset(0, p); }
static void gruBeforeBackwardResetHard(const Pullback *p) { gruBeforeBackwardReset(1, p); }

#define GRU_BEFORE(kind) \
  { \
    .gates = 3, .slots = 4, .firstSlots = 3, .kept = 4, .hiddenGates = 2, .resetGates = 1, \
    .slot = { \
      {0, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 0}, \
      {1, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 1}, \
      {2, INPUT, BOTH_BIASES, INPUT_PART, 2}, \
      {2, RESET, NO_BIAS, RESET_PART, 0}, \
    }, \
    .forward = gruBeforeForward##kind, .backward = gruBeforeBackward##kind, \
    .forwardReset = gruBeforeForwardReset, .backwardReset = gruBeforeBackwardReset##kind, \
  }
