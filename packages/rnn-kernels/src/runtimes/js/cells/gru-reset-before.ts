import { gateOf, gateSlope, type JsCell, readsBoth, type Step, type StepGradient } from './cell'

/** A cell whose last gate needs all units of another: its product with r·h comes between two halves of a step. */
export interface ResetCell extends JsCell {
  /** r·h, after {@link JsCell.forward}. */
  resets(step: Step, to: Float64Array): void
  /** The rest of the step, given (r·h)·W_hnᵀ, `[rows, H]`. */
  forwardReset(step: Step, products: Float64Array): void
  /** What the rest of the pullback changes, given the gradient with respect to r·h. */
  backwardReset(step: StepGradient, dResets: Float64Array): void
  /** ṅ, `[rows, H]`, after {@link JsCell.backward}. */
  resetGradient(step: StepGradient, to: Float64Array): void
}

/** Whether a cell is one. */
export function isResetCell(cell: JsCell): cell is ResetCell {
  return 'forwardReset' in cell
}

/**
 * As kernels/cells/gru-before.h:
 *
 *     n = tanh(x_t·W_inᵀ + b_in + (r·h_{t-1})·W_hnᵀ + b_hn)     ṅ = h̄·(1 − z)·(1 − n²)   ż = h̄·(h_{t-1} − n)·z(1 − z)
 *     h = (1 − z)·n + z·h_{t-1}                                 ṙ = (ṅ·W_hn)·h_{t-1}·r(1 − r)
 */
export function gruResetBefore(isHard: boolean): ResetCell {
  return {
    slots: [readsBoth(0), readsBoth(1), { gate: 2, input: true, hidden: false, biasIh: true, biasHh: true }],
    carriesHidden: true,
    forward({ rows, hiddenSize, gates }) {
      for (let k = 0; k < 3 * rows * hiddenSize; k += 3) {
        gates[k] = gateOf(isHard, gates[k])
        gates[k + 1] = gateOf(isHard, gates[k + 1])
      }
    },
    resets({ rows, hiddenSize, gates, hBefore }, to) {
      for (let at = 0; at < rows * hiddenSize; at++) to[at] = gates[3 * at] * hBefore[at]
    },
    forwardReset({ rows, hiddenSize, gates, hBefore, h }, products) {
      for (let at = 0, k = 0; at < rows * hiddenSize; at++, k += 3) {
        const z = gates[k + 1]
        const n = Math.tanh(gates[k + 2] + products[at])
        h[at] = (1 - z) * n + z * hBefore[at]
        gates[k + 2] = n
      }
    },
    backward({ rows, hiddenSize, gates, hBefore, dH, carry, dGates }) {
      for (let at = 0, k = 0; at < rows * hiddenSize; at++, k += 3) {
        const z = gates[k + 1]
        const n = gates[k + 2]
        dGates[k + 1] = dH[at] * (hBefore[at] - n) * gateSlope(isHard, z)
        dGates[k + 2] = dH[at] * (1 - z) * (1 - n * n)
        carry[at] = dH[at] * z
      }
    },
    resetGradient({ rows, hiddenSize, dGates }, to) {
      for (let at = 0; at < rows * hiddenSize; at++) to[at] = dGates[3 * at + 2]
    },
    backwardReset({ rows, hiddenSize, gates, hBefore, carry, dGates }, dResets) {
      for (let at = 0, k = 0; at < rows * hiddenSize; at++, k += 3) {
        const r = gates[k]
        dGates[k] = dResets[at] * hBefore[at] * gateSlope(isHard, r)
        carry[at] += dResets[at] * r
      }
    },
  }
}
