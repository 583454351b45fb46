import {
  add,
  matMul,
  mul,
  reshape,
  sigmoid,
  split,
  squeeze,
  stack,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tanh,
  tidy,
  unstack,
  zeros,
} from '@tensorflow/tfjs-core'
import type { LSTMLayerOptions, LSTMLayerOutputs, LSTMLayerWeights } from './lstm'

/**
 * One direction of one LSTM layer as a graph of TensorFlow.js operations: the specification of {@link lstm} and its path
 * on backends without a kernel of ours. The input projection of all steps is one product, ahead of the loop over time.
 *
 * Per step, with both biases in the projection p = x·W_ihᵀ + b_ih + b_hh (Hochreiter and Schmidhuber 1997; the equations
 * of `torch.nn.LSTM`):
 *
 *     i, f, g, o = p + h·W_hhᵀ
 *     c = σ(f)·c + σ(i)·tanh(g)
 *     h = σ(o)·tanh(c)
 */
export function composedLSTM(inputs: Tensor3D, weights: LSTMLayerWeights, options: LSTMLayerOptions): LSTMLayerOutputs {
  const { reverse = false, initial, returnOutput = true } = options
  const [batch, time] = inputs.shape
  const hidden = weights.weightHh.shape[1]
  return tidy(() => {
    const projected = steps(project(inputs, weights)) // time × [batch, 4·hidden]
    let h: Tensor2D = initial?.h ?? zeros([batch, hidden])
    let c: Tensor2D = initial?.c ?? zeros([batch, hidden])
    const states = new Array<Tensor2D>(time)
    for (let step = 0; step < time; step++) {
      const t = reverse ? time - 1 - step : step
      ;({ h, c } = lstmStep(projected[t], h, c, weights.weightHh))
      states[t] = h
    }
    return { output: returnOutput ? (stack(states, 1) as Tensor3D) : undefined, h, c }
  })
}

/** x·W_ihᵀ + b_ih + b_hh of all steps at once: [batch, time, 4·hidden]. */
function project(inputs: Tensor3D, { weightIh, biasIh, biasHh }: LSTMLayerWeights): Tensor {
  const [batch, time, features] = inputs.shape
  const rows: Tensor2D = reshape(inputs, [batch * time, features])
  const product: Tensor = matMul(rows, weightIh, false, true)
  const biased = biasIh && biasHh ? add(product, add(biasIh, biasHh)) : product
  return reshape(biased, [batch, time, weightIh.shape[0]])
}

/** The steps of [batch, time, …]; a single one by itself, because the gradient of unstack fails for it. */
function steps(sequence: Tensor): Tensor2D[] {
  return sequence.shape[1] === 1 ? [squeeze(sequence, [1])] : (unstack(sequence, 1) as Tensor2D[])
}

function lstmStep(projected: Tensor2D, h: Tensor2D, c: Tensor2D, weightHh: Tensor2D): { h: Tensor2D; c: Tensor2D } {
  const [i, f, g, o] = split(add(projected, matMul(h, weightHh, false, true)), 4, 1) as Tensor2D[]
  const cNext: Tensor2D = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)))
  return { h: mul(sigmoid(o), tanh(cNext)), c: cNext }
}
