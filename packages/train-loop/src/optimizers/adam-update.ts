/** The numbers of one Adam step, ready for float32 arithmetic. */
export interface AdamCoefficients {
  lr: number
  betas: readonly [number, number]
  eps: number
  weightDecay: number
  /** t, counted from 1 */
  step: number
}

/**
 * One Adam step on one parameter, in place (Kingma and Ba 2015, algorithm 1; operation by operation as
 * `torch.optim.Adam`, each rounded to float32, so that runs agree to the digit):
 *
 *     g ← g + λ·θ
 *     m ← β₁·m + (1 − β₁)·g
 *     v ← β₂·v + (1 − β₂)·g²
 *     θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
 */
export function adamUpdate(
  theta: Float32Array,
  gradient: ArrayLike<number>,
  m: Float32Array,
  v: Float32Array,
  { lr, betas, eps, weightDecay, step }: AdamCoefficients,
): void {
  const { fround, sqrt } = Math
  const beta1 = fround(betas[0])
  const beta2 = fround(betas[1])
  const oneMinusBeta1 = fround(1 - betas[0])
  const oneMinusBeta2 = fround(1 - betas[1])
  const stepSize = fround(-lr / (1 - betas[0] ** step))
  const rootCorrection = fround(sqrt(1 - betas[1] ** step))
  const epsilon = fround(eps)
  const lambda = fround(weightDecay)
  for (let k = 0; k < theta.length; k++) {
    const g = lambda === 0 ? gradient[k] : fround(gradient[k] + fround(lambda * theta[k]))
    const mNext = fround(fround(beta1 * m[k]) + fround(oneMinusBeta1 * g))
    const vNext = fround(fround(beta2 * v[k]) + fround(fround(oneMinusBeta2 * g) * g))
    const denominator = fround(fround(fround(sqrt(vNext)) / rootCorrection) + epsilon)
    m[k] = mNext
    v[k] = vNext
    theta[k] = fround(theta[k] + fround(fround(stepSize * mNext) / denominator))
  }
}
