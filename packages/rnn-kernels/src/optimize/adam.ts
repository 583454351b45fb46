import { currentRuntime } from '../configure'
import { KernelShapeError } from '../errors'
import type { AdamCoefficients, AdamSlot } from '../runtime'
import { jsAdam } from '../runtimes/js/adam'

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
 * One Adam step (Kingma and Ba 2015, algorithm 1; operation by operation as `torch.optim.Adam`, each rounded to float32, so that
 * runs agree to the digit) for parameters of some sizes, by the best code that there is:
 *
 *     g ← g + λ·θ
 *     m ← β₁·m + (1 − β₁)·g
 *     v ← β₂·v + (1 − β₂)·g²
 *     θ ← θ − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
 *
 * @param sizes floats of each parameter
 * @returns a slot for each, with its running averages, float32 of its size, zero; `update` throws {@link KernelShapeError} for arrays of another
 * size
 * @example
 * ```ts
 * const [slot] = adamSlots([2])
 * const next = new Float32Array(2)
 * const coefficients = adamCoefficients({ lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }, 1)
 * slot.update(Float32Array.of(1, 2), Float32Array.of(0.5, -0.5), next, coefficients)
 * console.log(next[0].toFixed(3)) // 0.999
 * ```
 */
export function adamSlots(sizes: readonly number[]): AdamSlot[] {
  if (sizes.length === 0) return []
  const slots = currentRuntime()?.optimize.adam(sizes) ?? jsAdam(sizes)
  return slots.map(({ m, v, update }) => ({
    m,
    v,
    update(theta, gradient, next, coefficients) {
      for (const { length } of [theta, gradient, next]) {
        if (length !== m.length)
          throw new KernelShapeError(`a parameter of ${m.length} numbers got an array of ${length}`)
      }
      update(theta, gradient, next, coefficients)
    },
  }))
}
