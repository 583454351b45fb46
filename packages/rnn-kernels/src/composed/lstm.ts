import { add, matMul, mul, split, type Tensor2D } from '@tensorflow/tfjs-core'
import { type ComposedCell, tanh } from './step'

/**
 * Hochreiter and Schmidhuber 1997, as `torch.nn.LSTM` computes it:
 *
 *     i, f, g, o = x·W_ihᵀ + b_ih + b_hh + h·W_hhᵀ
 *     c = σ(f)·c + σ(i)·tanh(g)
 *     h = σ(o)·tanh(c)
 *
 * and with a projection (Sak, Senior and Beaufays 2014, `proj_size`) h = (σ(o)·tanh(c))·W_hrᵀ.
 */
export const lstm: ComposedCell =
  ({ weightHh, weightHr }, σ) =>
  (x, [h, c]) => {
    const [i, f, g, o] = split(add(x, matMul(h, weightHh, false, true)), 4, 1) as Tensor2D[]
    const cNext: Tensor2D = add(mul(σ(f), c), mul(σ(i), tanh(g)))
    const hidden: Tensor2D = mul(σ(o), tanh(cNext))
    return [weightHr ? matMul(hidden, weightHr, false, true) : hidden, cNext]
  }
