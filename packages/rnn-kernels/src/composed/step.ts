import {
  add,
  clipByValue,
  customGrad,
  mul,
  sigmoid,
  type Tensor,
  type Tensor2D,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core'
import type { GateActivation } from '../cell'
import type { RecurrentWeightTensors } from '../op/types'

/** The state between two steps, `[N, H]` each: h, and c of an LSTM. */
export type State = Tensor2D[]

/** One step of a cell, given x·W_ihᵀ and the biases, `[N, G·H]`. */
export type Step = (x: Tensor2D, state: State) => State

/** A cell: its step with these weights and this activation of its gates. */
export type ComposedCell = (weights: RecurrentWeightTensors, σ: (x: Tensor2D) => Tensor2D) => Step

/** The activation of the gates. */
export const GATE_ACTIVATIONS: Record<GateActivation, (x: Tensor2D) => Tensor2D> = {
  sigmoid,
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
