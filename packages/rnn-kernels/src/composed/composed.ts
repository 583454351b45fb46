import {
  add,
  customGrad,
  matMul,
  reshape,
  squeeze,
  stack,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  unstack,
  where,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core'
import { type Cell, hasCellState } from '../cell'
import type { RecurrentOptions, RecurrentOutputs, RecurrentWeightTensors } from '../op/types'
import { CELLS, GATE_ACTIVATIONS, type State } from './cells'

/**
 * One direction of one recurrent layer as a graph of TensorFlow.js operations: the specification of {@link recurrent}, and its path on
 * backends without kernels. The caller disposes the tensors it returns.
 */
export function composedRecurrent(
  inputs: Tensor3D,
  weights: RecurrentWeightTensors,
  options: RecurrentOptions,
): RecurrentOutputs {
  const { cell, gateActivation = 'sigmoid', reverse = false, initial, lengths, returnOutput = true } = options
  const [batch, time] = inputs.shape
  const features = weights.weightHh.shape[1] // of h: H, or P with a projection
  const hiddenSize = weights.weightHr?.shape[1] ?? features
  return tidy(() => {
    const mask = lengths && stepsToRead(lengths, time) // [N, T, 1]
    const read = mask ? choose(mask, inputs, zerosLike(inputs)) : inputs // no NaN of the padding
    const projected = steps(project(read, weights, inputBias(cell, weights))) // T × [N, G·H]
    const masks = mask && unstack(mask, 1) // T × [N, 1]
    const step = CELLS[cell](weights, GATE_ACTIVATIONS[gateActivation])
    const zeroState = (size: number): Tensor2D => zeros([batch, size])
    let state: State = [
      initial?.h ?? zeroState(features),
      ...(hasCellState(cell) ? [initial?.c ?? zeroState(hiddenSize)] : []),
    ]
    const hidden = new Array<Tensor2D>(time)
    for (let count = 0; count < time; count++) {
      const t = reverse ? time - 1 - count : count
      const next = step(projected[t], state)
      state = masks ? next.map((value, index) => choose(masks[t], value, state[index])) : next
      hidden[t] = state[0]
    }
    const [h, c] = state
    return { h, ...(c && { c }), ...(returnOutput && { output: outputOf(hidden, mask) }) }
  })
}

/** Whether a row reads a step, `[N, T, 1]`. */
function stepsToRead(lengths: ArrayLike<number>, time: number): Tensor3D {
  const rows = Array.from(lengths, (length) => Array.from({ length: time }, (_, t) => [t < length]))
  return tensor(rows, [lengths.length, time, 1], 'bool')
}

/** The biases that are added to x·W_ihᵀ: both, but for a GRU, whose r multiplies b_hn. */
function inputBias(cell: Cell, { biasIh, biasHh }: RecurrentWeightTensors): Tensor1D | undefined {
  return biasIh && biasHh && cell !== 'gru' ? add<Tensor1D>(biasIh, biasHh) : biasIh
}

/** x·W_ihᵀ + b of all steps at once: `[N, T, G·H]`. */
function project(inputs: Tensor3D, { weightIh }: RecurrentWeightTensors, bias: Tensor1D | undefined): Tensor3D {
  const [batch, time, features] = inputs.shape
  const rows: Tensor2D = reshape(inputs, [batch * time, features])
  const product: Tensor = matMul(rows, weightIh, false, true)
  return reshape(bias ? add(product, bias) : product, [batch, time, weightIh.shape[0]])
}

/** The steps of `[N, T, …]`; a single one by itself, because the gradient of unstack fails for it. */
function steps(sequence: Tensor3D): Tensor2D[] {
  return sequence.shape[1] === 1 ? [squeeze(sequence, [1])] : (unstack(sequence, 1) as Tensor2D[])
}

/** The hidden states of all steps, 0 past a row's length: `[N, T, H]`. */
function outputOf(hidden: Tensor2D[], mask: Tensor3D | undefined): Tensor3D {
  const output = stack(hidden, 1) as Tensor3D
  return mask ? choose(mask, output, zerosLike(output)) : output
}

/** `a` where the mask is true, `b` elsewhere. The gradient of `where` multiplies by the mask, and 0·NaN is NaN: this one chooses. */
function choose<T extends Tensor>(mask: Tensor, a: T, b: T): T {
  const choice = customGrad((a, b, save) => {
    ;(save as (saved: Tensor[]) => void)([mask])
    const gradFunc = (dy: Tensor, [mask]: Tensor[]) => [where(mask, dy, zerosLike(dy)), where(mask, zerosLike(dy), dy)]
    return { value: where(mask, a as Tensor, b as Tensor), gradFunc }
  })
  return choice(a, b) as T
}
