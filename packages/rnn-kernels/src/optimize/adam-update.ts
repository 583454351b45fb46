import type { AdamArrays } from './adam-memory'

/** The numbers of one Adam step, each rounded to float32 where it enters the arithmetic. */
export interface AdamCoefficients {
  /** β₁ */
  beta1: number
  /** β₂ */
  beta2: number
  /** 1 − β₁ */
  oneMinusBeta1: number
  /** 1 − β₂ */
  oneMinusBeta2: number
  /** −lr / (1 − β₁ᵗ) */
  stepSize: number
  /** √(1 − β₂ᵗ) */
  rootCorrection: number
  /** ε */
  eps: number
  /** λ */
  weightDecay: number
}

/** The coefficients of step t, counted from 1, computed in float64 as PyTorch's Python code does. */
export function adamCoefficients(
  { lr, betas, eps, weightDecay }: { lr: number; betas: readonly [number, number]; eps: number; weightDecay: number },
  t: number,
): AdamCoefficients {
  const { fround } = Math
  return {
    beta1: fround(betas[0]),
    beta2: fround(betas[1]),
    oneMinusBeta1: fround(1 - betas[0]),
    oneMinusBeta2: fround(1 - betas[1]),
    stepSize: fround(-lr / (1 - betas[0] ** t)),
    rootCorrection: fround(Math.sqrt(1 - betas[1] ** t)),
    eps: fround(eps),
    weightDecay: fround(weightDecay),
  }
}

/**
 * One Adam step in place (Kingma and Ba 2015, algorithm 1; operation by operation as `torch.optim.Adam`, each rounded to
 * float32, so that runs agree to the digit):
 *
 *     g ← g + λ·θ
 *     m ← β₁·m + (1 − β₁)·g
 *     v ← β₂·v + (1 − β₂)·g²
 *     θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
 *
 * The specification of the WebAssembly kernel in kernels/optimize.h, and its stand-in where there is no SIMD.
 */
export function adamUpdate({ theta, gradient, m, v }: AdamArrays, coefficients: AdamCoefficients): void {
  const { beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, rootCorrection, eps, weightDecay } = coefficients
  const { fround, sqrt } = Math
  for (let k = 0; k < theta.length; k++) {
    const g = weightDecay === 0 ? gradient[k] : fround(gradient[k] + fround(weightDecay * theta[k]))
    const mNext = fround(fround(beta1 * m[k]) + fround(oneMinusBeta1 * g))
    const vNext = fround(fround(beta2 * v[k]) + fround(fround(oneMinusBeta2 * g) * g))
    const denominator = fround(fround(fround(sqrt(vNext)) / rootCorrection) + eps)
    m[k] = mNext
    v[k] = vNext
    theta[k] = fround(theta[k] + fround(fround(stepSize * mNext) / denominator))
  }
}
