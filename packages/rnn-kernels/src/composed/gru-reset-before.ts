import { add, matMul, mul, split, sub, type Tensor2D } from '@tensorflow/tfjs-core'
import { type ComposedCell, tanh } from './step'

/**
 * Cho et al. 2014, with the reset gate before the product, as Keras computes it with `reset_after=False`:
 *
 *     r = σ(x·W_irᵀ + b_ir + h·W_hrᵀ + b_hr)
 *     z = σ(x·W_izᵀ + b_iz + h·W_hzᵀ + b_hz)
 *     n = tanh(x·W_inᵀ + b_in + (r·h)·W_hnᵀ + b_hn)
 *     h = (1 − z)·n + z·h
 */
export const gruResetBefore: ComposedCell = ({ weightHh }, σ) => {
  const hiddenSize = weightHh.shape[1]
  const [weightHrz, weightHn] = split(weightHh, [2 * hiddenSize, hiddenSize]) as Tensor2D[]
  return (x, [h]) => {
    const [xr, xz, xn] = split(x, 3, 1) as Tensor2D[]
    const [hr, hz] = split(matMul(h, weightHrz, false, true), 2, 1) as Tensor2D[]
    const r = σ(add(xr, hr))
    const z = σ(add(xz, hz))
    const n = tanh(add<Tensor2D>(xn, matMul(mul(r, h), weightHn, false, true)))
    return [add(mul(sub(1, z), n), mul(z, h))]
  }
}
