// Elman 1990, as torch.nn.RNN computes it: h = φ(x_t·W_ihᵀ + b_ih + h_{t-1}·W_hhᵀ + b_hh), φ tanh or max(0, ·).
#pragma once
#include "cells/cell.h"

INLINE void rnnForward(const int relu, const Step *step) {
  const Step s = *step;
  float *sums = s.sums, *h = s.hNext;
  const Constants *k = constantsInMemory();
  EACH_ROW(s.rows) {
    Group sum = loadGroup(sums);
    GROUP(positive, choose(sum.v[n] < splat(0), splat(0), sum.v[n])); // NaN is kept: it is not less than 0
    Group next = relu ? positive : hyperbolicTangent(sum, k);
    storeGroup(sums, next), storeGroup(h, next);
    sums += s.sumsRow, h += s.hRow;
  }
}

/** ȧ = h̄·φ′, with φ′ = 1 − h² or, but where h is 0, 1. */
INLINE void rnnBackward(const int relu, const Pullback *pullback) {
  const Pullback p = *pullback;
  const float *dHidden = p.dHidden, *kept = p.kept;
  float *d = p.dInput;
  EACH_ROW(p.rows) {
    EACH_VECTOR {
      Vector h = load(kept + v), dh = withoutTraces(load(dHidden + v));
      store(d + v, relu ? choose(h <= splat(0), splat(0), dh) : dh * fnma(h, h, splat(1)));
    }
    dHidden += p.dHiddenRow, kept += p.keptRow, d += p.dGatesRow;
  }
}

static void rnnTanhForward(const Step *s) { rnnForward(0, s); }
static void rnnReluForward(const Step *s) { rnnForward(1, s); }
static void rnnTanhBackward(const Pullback *p) { rnnBackward(0, p); }
static void rnnReluBackward(const Pullback *p) { rnnBackward(1, p); }

#define RNN(kind) \
  { \
    .gates = 1, .slots = 1, .firstSlots = 1, .kept = 1, \
    .slot = {{0, INPUT | HIDDEN, BOTH_BIASES, INPUT_PART, 0}}, \
    .forward = rnn##kind##Forward, .backward = rnn##kind##Backward, \
  }
