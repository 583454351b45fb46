// Hochreiter and Schmidhuber 1997, as torch.nn.LSTM computes it:
//
//     i, f, g, o = x_t·W_ihᵀ + h_{t-1}·W_hhᵀ + b_ih + b_hh
//     c = σ(f)·c + σ(i)·tanh(g)
//     h = σ(o)·tanh(c)
#pragma once
#include "cells/cell.h"

/** Where the gates and c are in what is kept. */
enum { I = 0, F = WIDTH, G = 2 * WIDTH, O = 3 * WIDTH, C = 4 * WIDTH };

INLINE void lstmForward(const int hard, const Step *step) {
  const Step s = *step;
  gateOfRows(hard, s.rows, s.sums + I, s.sumsRow);
  gateOfRows(hard, s.rows, s.sums + F, s.sumsRow);
  tanhOfRows(s.rows, s.sums + G, s.sumsRow);
  gateOfRows(hard, s.rows, s.sums + O, s.sumsRow);
  float *sums = s.sums, *h = s.hNext, *cNext = s.cNext;
  const float *cBefore = s.cBefore;
  const Constants *k = constantsInMemory();
  EACH_ROW(s.rows) {
    GROUP(c, fma(load(sums + F + n * LANES), load(cBefore + n * LANES), load(sums + I + n * LANES) * load(sums + G + n * LANES)));
    Group tanhC = hyperbolicTangent(c, k);
    GROUP(out, load(sums + O + n * LANES) * tanhC.v[n]);
    storeGroup(cNext, c), storeGroup(h, out);
    sums += s.sumsRow, cBefore += s.cBeforeRow, cNext += s.cNextRow, h += s.hRow;
  }
}

/**
 * With h̄ and c̄ the gradients with respect to h and c, and those with respect to the sums dotted:
 *
 *     c̄ += h̄·o·(1 − tanh²c)
 *     i̇ = c̄·g·i(1 − i)   ḟ = c̄·c_{t-1}·f(1 − f)   ġ = c̄·i·(1 − g²)   ȯ = h̄·tanh c·o(1 − o)   c̄ ← c̄·f
 */
INLINE void lstmBackward(const int hard, const Pullback *pullback) {
  const Pullback p = *pullback;
  const float *dHidden = p.dHidden, *kept = p.kept, *h = p.h, *cBefore = p.cBefore;
  float *dC = p.carry, *d = p.dInput;
  const int gate = p.gate;
  const Vector one = splat(1), tiny = splat(0x1p-126f);
  EACH_ROW(p.rows) {
    EACH_VECTOR {
      Vector i = load(kept + I + v), f = load(kept + F + v), g = load(kept + G + v), o = load(kept + O + v);
      // h = o·tanh c. Adding 2⁻¹²⁶ keeps 0 / 0 away, where o and h are 0; it does not change any other o that matters.
      Vector dh = withoutTraces(load(dHidden + v)), tanhC = load(h + v) / (o + tiny);
      Vector dc = fma(dh * o, fnma(tanhC, tanhC, one), load(dC + v));
      store(d + v, dc * g * gateSlope(hard, i));
      store(d + gate + v, dc * load(cBefore + v) * gateSlope(hard, f));
      store(d + 2 * gate + v, dc * i * fnma(g, g, one));
      store(d + 3 * gate + v, dh * tanhC * gateSlope(hard, o));
      store(dC + v, withoutTraces(dc * f));
    }
    dHidden += p.dHiddenRow, kept += p.keptRow, h += p.hRow, cBefore += p.cBeforeRow, dC += p.carryRow, d += p.dGatesRow;
  }
}

static void lstmForwardSoft(const Step *s) { lstmForward(0, s); }
static void lstmForwardHard(const Step *s) { lstmForward(1, s); }
static void lstmBackwardSoft(const Pullback *p) { lstmBackward(0, p); }
static void lstmBackwardHard(const Pullback *p) { lstmBackward(1, p); }

#define LSTM(kind) \
  { \
    .gates = 4, .slots = 4, .firstSlots = 4, .kept = 5, .hasCellState = 1, .cellAt = C, \
    .slot = { \
      {0, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 0}, \
      {1, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 1}, \
      {2, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 2}, \
      {3, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 3}, \
    }, \
    .forward = lstmForward##kind, .backward = lstmBackward##kind, \
  }
