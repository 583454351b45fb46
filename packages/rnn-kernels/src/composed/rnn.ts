import { add, matMul, relu, type Tensor2D } from '@tensorflow/tfjs-core'
import { type ComposedCell, tanh } from './step'

/** Elman 1990, as `torch.nn.RNN` computes it: h = φ(x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh). */
function rnn(φ: (x: Tensor2D) => Tensor2D): ComposedCell {
  return ({ weightHh }) =>
    (x, [h]) => [φ(add(x, matMul(h, weightHh, false, true)))]
}

export const rnnTanh = rnn(tanh)
export const rnnRelu = rnn(relu)
