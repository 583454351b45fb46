import { add, matMul, mul, split, sub, type Tensor2D } from '@tensorflow/tfjs-core'
import { type ComposedCell, tanh } from './step'

/**
 * Cho et al. 2014, with the reset gate after the product, as `torch.nn.GRU` computes it:
 *
 *     r = σ(x·W_irᵀ + b_ir + h·W_hrᵀ + b_hr)
 *     z = σ(x·W_izᵀ + b_iz + h·W_hzᵀ + b_hz)
 *     n = tanh(x·W_inᵀ + b_in + r·(h·W_hnᵀ + b_hn))
 *     h = (1 − z)·n + z·h
 */
export const gru: ComposedCell =
  ({ weightHh, biasHh }, σ) =>
  (x, [h]) => {
    const product: Tensor2D = matMul(h, weightHh, false, true)
    const [xr, xz, xn] = split(x, 3, 1) as Tensor2D[]
    const [hr, hz, hn] = split(biasHh ? add(product, biasHh) : product, 3, 1) as Tensor2D[]
    const r = σ(add(xr, hr))
    const z = σ(add(xz, hz))
    const n = tanh(add<Tensor2D>(xn, mul(r, hn)))
    return [add(mul(sub(1, z), n), mul(z, h))]
  }
