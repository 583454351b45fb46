// The loops of the optimizers, over whole vectors. Nothing is fused: the numbers are PyTorch's, operation by operation.
#pragma once
#include "vector.h"

/**
 * One Adam step in place (Kingma and Ba 2015, algorithm 1) on `count` floats, a multiple of WIDTH; the arithmetic of torch.optim.Adam:
 *
 *     g ← g + λ·θ
 *     m ← β₁·m + (1 − β₁)·g
 *     v ← β₂·v + (1 − β₂)·g²
 *     θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
 */
EXPORT void adam(float *theta, const float *gradient, float *m, float *v, int count, float beta1, float beta2, float oneMinusBeta1,
                 float oneMinusBeta2, float stepSize, float rootCorrection, float eps, float lambda) {
  for (int k = 0; k < count; k += LANES) {
    Vector t = load(theta + k), g = load(gradient + k);
    if (lambda != 0) g += splat(lambda) * t;
    Vector mNext = splat(beta1) * load(m + k) + splat(oneMinusBeta1) * g;
    Vector vNext = splat(beta2) * load(v + k) + splat(oneMinusBeta2) * g * g;
    store(m + k, mNext);
    store(v + k, vNext);
    Vector denominator = squareRoot(vNext) / splat(rootCorrection) + splat(eps);
    store(theta + k, t + splat(stepSize) * mNext / denominator);
  }
}
