import {
  add,
  clipByValue,
  customGrad,
  matMul,
  mul,
  relu,
  sigmoid,
  split,
  square,
  sub,
  type Tensor,
  type Tensor2D,
  tanh as tanhOfTensor,
} from '@tensorflow/tfjs-core'
import type { Cell, GateActivation } from '../cell'
import { isHigherOrder } from '../op/higher-order'
import type { RecurrentWeightTensors } from '../op/types'

/** The state between two steps, `[N, H]` each: h, and c of an LSTM. */
export type State = Tensor2D[]

/** One step of a cell, given x·W_ihᵀ and the biases, `[N, G·H]`. */
type Step = (x: Tensor2D, state: State) => State

/** A cell: its step with these weights and this activation of its gates. */
type ComposedCell = (weights: RecurrentWeightTensors, σ: (x: Tensor2D) => Tensor2D) => Step

/**
 * An activation y whose gradient of a gradient is right too, with dy/dx by y: y is computed from x again there, because TensorFlow.js (4.22)
 * takes the gradient from a copy of y that its outer tape knows nothing of.
 */
function activation(f: (x: Tensor2D) => Tensor2D, slope: (y: Tensor2D) => Tensor2D): (x: Tensor2D) => Tensor2D {
  const ofInput = (x: Tensor2D): Tensor2D =>
    customGrad((x, save) => {
      ;(save as (saved: Tensor[]) => void)([x as Tensor])
      const gradFunc = (dy: Tensor, [x]: Tensor[]): Tensor => mul(dy, slope(ofInput(x as Tensor2D)))
      return { value: f(x as Tensor2D), gradFunc }
    })(x) as Tensor2D
  return (x) => (isHigherOrder() ? ofInput(x) : f(x))
}

/** tanh, of which gradients of every order can be taken. */
const tanh = activation(tanhOfTensor, (y) => sub(1, square(y)))

/** The activation of the gates. */
export const GATE_ACTIVATIONS: Record<GateActivation, (x: Tensor2D) => Tensor2D> = {
  sigmoid: activation(sigmoid, (y) => mul(y, sub(1, y))),
  hard_sigmoid: (x) => clipByValue(add<Tensor2D>(mul(x, 0.2), 0.5), 0, 1),
}

/**
 * Hochreiter and Schmidhuber 1997, as `torch.nn.LSTM` computes it:
 *
 *     i, f, g, o = x·W_ihᵀ + b_ih + b_hh + h·W_hhᵀ
 *     c = σ(f)·c + σ(i)·tanh(g)
 *     h = σ(o)·tanh(c)
 *
 * and with a projection (Sak, Senior and Beaufays 2014, `proj_size`) h = (σ(o)·tanh(c))·W_hrᵀ.
 */
const lstm: ComposedCell =
  ({ weightHh, weightHr }, σ) =>
  (x, [h, c]) => {
    const [i, f, g, o] = split(add(x, matMul(h, weightHh, false, true)), 4, 1) as Tensor2D[]
    const cNext: Tensor2D = add(mul(σ(f), c), mul(σ(i), tanh(g)))
    const hidden: Tensor2D = mul(σ(o), tanh(cNext))
    return [weightHr ? matMul(hidden, weightHr, false, true) : hidden, cNext]
  }

/**
 * Cho et al. 2014, with the reset gate after the product, as `torch.nn.GRU` computes it:
 *
 *     r = σ(x·W_irᵀ + b_ir + h·W_hrᵀ + b_hr)
 *     z = σ(x·W_izᵀ + b_iz + h·W_hzᵀ + b_hz)
 *     n = tanh(x·W_inᵀ + b_in + r·(h·W_hnᵀ + b_hn))
 *     h = (1 − z)·n + z·h
 */
const gru: ComposedCell =
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

/**
 * Cho et al. 2014, with the reset gate before the product, as Keras computes it with `reset_after=False`:
 *
 *     r = σ(x·W_irᵀ + b_ir + h·W_hrᵀ + b_hr)
 *     z = σ(x·W_izᵀ + b_iz + h·W_hzᵀ + b_hz)
 *     n = tanh(x·W_inᵀ + b_in + (r·h)·W_hnᵀ + b_hn)
 *     h = (1 − z)·n + z·h
 */
const gruResetBefore: ComposedCell = ({ weightHh }, σ) => {
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

/** Elman 1990, as `torch.nn.RNN` computes it: h = φ(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh). */
function rnn(φ: (x: Tensor2D) => Tensor2D): ComposedCell {
  return ({ weightHh }) =>
    (x, [h]) => [φ(add(x, matMul(h, weightHh, false, true)))]
}

/** The cells. */
export const CELLS: Readonly<Record<Cell, ComposedCell>> = {
  lstm,
  gru,
  gru_reset_before: gruResetBefore,
  rnn_tanh: rnn(tanh),
  rnn_relu: rnn(relu),
}
