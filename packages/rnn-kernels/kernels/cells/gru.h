// Cho et al. 2014, with the reset gate after the product, as torch.nn.GRU and Keras's reset_after compute it:
//
//     r = σ(x_t·W_irᵀ + b_ir + h_{t-1}·W_hrᵀ + b_hr)
//     z = σ(x_t·W_izᵀ + b_iz + h_{t-1}·W_hzᵀ + b_hz)
//     n = tanh(x_t·W_inᵀ + b_in + r·m),   m = h_{t-1}·W_hnᵀ + b_hn
//     h = (1 − z)·n + z·h_{t-1}
#pragma once
#include "cells/cell.h"

enum { R = 0, Z = WIDTH, N = 2 * WIDTH, M = 3 * WIDTH };

INLINE void gruForward(const int hard, const Step *step) {
  const Step s = *step;
  gateOfRows(hard, s.rows, s.sums + R, s.sumsRow);
  gateOfRows(hard, s.rows, s.sums + Z, s.sumsRow);
  float *sums = s.sums, *h = s.hNext;
  const float *hBefore = s.hBefore;
  const Constants *k = constantsInMemory();
  EACH_ROW(s.rows) {
    GROUP(sum, fma(load(sums + R + n * LANES), load(sums + M + n * LANES), load(sums + N + n * LANES)));
    Group new = hyperbolicTangent(sum, k);
    GROUP(out, fma(load(sums + Z + n * LANES), load(hBefore + n * LANES) - new.v[n], new.v[n]));
    storeGroup(sums + N, new), storeGroup(h, out);
    sums += s.sumsRow, hBefore += s.hRow, h += s.hRow;
  }
}

/**
 * With h̄ the gradient with respect to h, and those with respect to the sums dotted:
 *
 *     ṅ = h̄·(1 − z)·(1 − n²)   ż = h̄·(h_{t-1} − n)·z(1 − z)   ṁ = ṅ·r   ṙ = ṅ·m·r(1 − r)
 *
 * h̄·z passes on to h_{t-1} as it is.
 */
INLINE void gruBackward(const int hard, const Pullback *pullback) {
  const Pullback p = *pullback;
  const float *dHidden = p.dHidden, *kept = p.kept, *hBefore = p.hBefore;
  float *carry = p.carry, *dx = p.dInput, *dm = p.dHiddenGates;
  const int gate = p.gate;
  const Vector one = splat(1);
  EACH_ROW(p.rows) {
    EACH_VECTOR {
      Vector r = load(kept + R + v), z = load(kept + Z + v), new = load(kept + N + v);
      Vector dh = withoutTraces(load(dHidden + v) + load(carry + v));
      Vector dn = dh * (one - z) * fnma(new, new, one);
      Vector dz = dh * (load(hBefore + v) - new) * gateSlope(hard, z);
      Vector dr = dn * load(kept + M + v) * gateSlope(hard, r);
      store(carry + v, dh * z);
      store(dx + v, dr), store(dx + gate + v, dz), store(dx + 2 * gate + v, dn);
      store(dm + v, dr), store(dm + gate + v, dz), store(dm + 2 * gate + v, dn * r);
    }
    dHidden += p.dHiddenRow, kept += p.keptRow, hBefore += p.hRow, carry += p.carryRow;
    dx += p.dGatesRow, dm += p.dGatesRow;
  }
}

static void gruForwardSoft(const Step *s) { gruForward(0, s); }
static void gruForwardHard(const Step *s) { gruForward(1, s); }
static void gruBackwardSoft(const Pullback *p) { gruBackward(0, p); }
static void gruBackwardHard(const Pullback *p) { gruBackward(1, p); }

#define GRU(kind) \
  { \
    .gates = 3, .slots = 4, .firstSlots = 4, .kept = 4, .hiddenGates = 3, \
    .slot = { \
      {0, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 0}, \
      {1, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 1}, \
      {2, INPUT, BIAS_IH, INPUT_PART, 2}, \
      {2, HIDDEN, BIAS_HH, HIDDEN_PART, 2}, \
    }, \
    .forward = gruForward##kind, .backward = gruBackward##kind, \
  }
