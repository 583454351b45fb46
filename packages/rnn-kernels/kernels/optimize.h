// The loops of the optimizers, over whole vectors. Nothing is fused: the numbers are PyTorch's, operation by operation.
#pragma once
#include "vector.h"

/**
 * One Adam step (Kingma and Ba 2015, algorithm 1) on `count` floats, whose new values go to `next`; the arithmetic of torch.optim.Adam:
 *
 *     g ← g + λ·θ
 *     m ← β₁·m + (1 − β₁)·g
 *     v ← β₂·v + (1 − β₂)·g²
 *     θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
 */
EXPORT void adam(const float *theta, const float *gradient, float *m, float *v, float *next, int count, float beta1, float beta2, float oneMinusBeta1,
                 float oneMinusBeta2, float stepSize, float rootCorrection, float eps, float lambda) {
  int k = 0;
#define STEP(type, load, store, splat, squareRoot) \
  type t = load(theta + k), g = load(gradient + k); \
  if (lambda != 0) g += splat(lambda) * t; \
  type mNext = splat(beta1) * load(m + k) + splat(oneMinusBeta1) * g; \
  type vNext = splat(beta2) * load(v + k) + splat(oneMinusBeta2) * g * g; \
  store(m + k, mNext); \
  store(v + k, vNext); \
  type denominator = squareRoot(vNext) / splat(rootCorrection) + splat(eps); \
  store(next + k, t + splat(stepSize) * mNext / denominator);
  for (; k + LANES <= count; k += LANES) { STEP(Vector, load, store, splat, squareRoot) }
  // The same for single floats at the end.
#define LOAD(at) *(at)
#define STORE(at, value) *(at) = (value)
  for (; k < count; k++) { STEP(float, LOAD, STORE, (float), __builtin_sqrtf) }
#undef STEP
#undef LOAD
#undef STORE
}
