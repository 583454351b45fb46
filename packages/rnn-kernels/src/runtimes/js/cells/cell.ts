/** A sum that a cell's gates begin with: which gate of PyTorch's parameters it takes, what it reads, and its biases. */
export interface Slot {
  gate: number
  /** x_t */
  input: boolean
  /** h_{t-1} */
  hidden: boolean
  biasIh: boolean
  biasHh: boolean
}

/** One step of some rows; all float64. Sums and gates are `[rows, H, slots]`, states `[rows, H]`. */
export interface Step {
  rows: number
  hiddenSize: number
  /** Sums before, activations after. */
  gates: Float64Array
  hBefore: Float64Array
  h: Float64Array
  cBefore: Float64Array
  c: Float64Array
}

/** The pullback of a step. */
export interface StepGradient extends Omit<Step, 'h'> {
  /** Gradient with respect to h. */
  dH: Float64Array
  /** What passes on to the step before without a product: c̄ of an LSTM, h̄·z of a GRU. */
  carry: Float64Array
  /** Gradients with respect to the sums. */
  dGates: Float64Array
}

/** A cell: its sums, and its equations forward and backward. */
export interface JsCell {
  slots: readonly Slot[]
  /** Whether `carry` is part of the gradient with respect to h. */
  carriesHidden: boolean
  forward(step: Step): void
  backward(step: StepGradient): void
}

// Flags, not functions as arguments: V8 inlines these even in a process that uses several activations.

/** A gate's activation: PyTorch's sigmoid, or Keras's hard one. */
export function gateOf(isHard: boolean, x: number): number {
  return isHard ? Math.min(1, Math.max(0, 0.2 * x + 0.5)) : 1 / (1 + Math.exp(-x))
}

/** Its derivative, from its value. */
export function gateSlope(isHard: boolean, y: number): number {
  if (isHard) return y > 0 && y < 1 ? 0.2 : 0
  return y * (1 - y)
}

/** A slot that reads both the input and the hidden state. */
export function readsBoth(gate: number): Slot {
  return { gate, input: true, hidden: true, biasIh: true, biasHh: true }
}
