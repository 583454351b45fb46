import {
  add,
  clipByValue,
  customGrad,
  mul,
  sigmoid,
  square,
  sub,
  type Tensor,
  type Tensor2D,
  tanh as tanhOfTensor,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core'
import type { GateActivation } from '../cell'
import { isHigherOrder } from '../op/higher-order'
import type { RecurrentWeightTensors } from '../op/types'

/** The state between two steps, `[N, H]` each: h, and c of an LSTM. */
export type State = Tensor2D[]

/** One step of a cell, given x·W_ihᵀ and the biases, `[N, G·H]`. */
export type Step = (x: Tensor2D, state: State) => State

/** A cell: its step with these weights and this activation of its gates. */
export type ComposedCell = (weights: RecurrentWeightTensors, σ: (x: Tensor2D) => Tensor2D) => Step

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
export const tanh = activation(tanhOfTensor, (y) => sub(1, square(y)))

/** The activation of the gates. */
export const GATE_ACTIVATIONS: Record<GateActivation, (x: Tensor2D) => Tensor2D> = {
  sigmoid: activation(sigmoid, (y) => mul(y, sub(1, y))),
  hard_sigmoid: (x) => clipByValue(add<Tensor2D>(mul(x, 0.2), 0.5), 0, 1),
}

/** `a` where the mask is true, `b` elsewhere. The gradient of `where` multiplies by the mask, and 0·NaN is NaN: this one chooses. */
export function choose<T extends Tensor>(mask: Tensor, a: T, b: T): T {
  const choice = customGrad((a, b, save) => {
    ;(save as (saved: Tensor[]) => void)([mask])
    const gradFunc = (dy: Tensor, [mask]: Tensor[]) => [where(mask, dy, zerosLike(dy)), where(mask, zerosLike(dy), dy)]
    return { value: where(mask, a as Tensor, b as Tensor), gradFunc }
  })
  return choice(a, b) as T
}
