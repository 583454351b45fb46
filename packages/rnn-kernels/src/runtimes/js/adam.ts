import type { AdamCoefficients, AdamSlot } from '../../runtime'

/** Adam in plain JavaScript: the specification of the kernel in kernels/optimize.h, and its stand-in. */
export function jsAdam(sizes: readonly number[]): AdamSlot[] {
  return sizes.map((size) => {
    const [m, v] = [new Float32Array(size), new Float32Array(size)]
    return { m, v, update: (theta, gradient, next, coefficients) => step(theta, gradient, m, v, next, coefficients) }
  })
}

function step(
  theta: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  next: Float32Array,
  coefficients: AdamCoefficients,
): void {
  const { beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, rootCorrection, eps, weightDecay } = coefficients
  const { fround, sqrt } = Math
  for (let k = 0; k < theta.length; k++) {
    const g = weightDecay === 0 ? gradient[k] : fround(gradient[k] + fround(weightDecay * theta[k]))
    const mNext = fround(fround(beta1 * m[k]) + fround(oneMinusBeta1 * g))
    const vNext = fround(fround(beta2 * v[k]) + fround(fround(oneMinusBeta2 * g) * g))
    const denominator = fround(fround(fround(sqrt(vNext)) / rootCorrection) + eps)
    m[k] = mNext
    v[k] = vNext
    next[k] = fround(theta[k] + fround(fround(stepSize * mNext) / denominator))
  }
}
