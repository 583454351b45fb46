import type { Cell } from '../../cell'

/** A product of the weights: with x_t, h_{t-1}, both, or r·h_{t-1}. */
export interface Product {
  /** The first of PyTorch's gates, and how many. */
  gate: number
  count: number
  /** Where their sums are added to. */
  slot: number
  x?: true
  h?: true
  reset?: true
}

/** One step of some rows; all float64, states `[rows, H]`. */
export interface Step {
  rows: number
  /** Hidden units. */
  H: number
  isHard: boolean
  /** `[rows, slots, H]`: sums before, activations after. */
  gates: Float64Array
  /** From a row of gates to the next. */
  stride: number
  hBefore: Float64Array
  h: Float64Array
  cBefore: Float64Array
  c: Float64Array
  /** r·h_{t-1} of a reset-before GRU. */
  resets: Float64Array
}

/** The pullback of a step. */
export interface StepGradient extends Step {
  /** Gradient with respect to h. */
  dH: Float64Array
  /** What passes on to the step before without a product: c̄ of an LSTM, h̄·z of a GRU. */
  carry: Float64Array
  /** Gradients with respect to the sums. */
  dGates: Float64Array
  /** Gradient with respect to r·h. */
  dResets: Float64Array
}

/** A cell: its products, and its equations forward and backward. */
export interface JsCell {
  slots: number
  products: readonly Product[]
  forward(step: Step): void
  backward(step: StepGradient): void
  /** The rest of a step whose last gate needs r of all units, and of its pullback. */
  forwardReset?(step: Step): void
  backwardReset?(step: StepGradient): void
}

/** A gate's activation: PyTorch's sigmoid, or Keras's hard one. */
function gateOf(isHard: boolean, x: number): number {
  return isHard ? Math.min(1, Math.max(0, 0.2 * x + 0.5)) : 1 / (1 + Math.exp(-x))
}

/** Its derivative, from its value. */
function gateSlope(isHard: boolean, y: number): number {
  if (isHard) return y > 0 && y < 1 ? 0.2 : 0
  return y * (1 - y)
}

/**
 * As kernels/cells/lstm.h:
 *
 *     c = σ(f)·c + σ(i)·tanh(g)     c̄ += h̄·o·(1 − tanh²c)   i̇ = c̄·g·i(1 − i)   ḟ = c̄·c_{t-1}·f(1 − f)
 *     h = σ(o)·tanh(c)              ġ = c̄·i·(1 − g²)         ȯ = h̄·tanh c·o(1 − o)      c̄ ← c̄·f
 */
const lstm: JsCell = {
  slots: 4,
  products: [{ gate: 0, count: 4, slot: 0, x: true, h: true }],
  forward({ rows, H, stride, isHard, gates, h, cBefore, c }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        const i = gateOf(isHard, gates[k])
        const f = gateOf(isHard, gates[k + H])
        const g = Math.tanh(gates[k + 2 * H])
        const o = gateOf(isHard, gates[k + 3 * H])
        const next = f * cBefore[at] + i * g
        c[at] = next
        h[at] = o * Math.tanh(next)
        gates[k] = i
        gates[k + H] = f
        gates[k + 2 * H] = g
        gates[k + 3 * H] = o
      }
    }
  },
  backward({ rows, H, stride, isHard, gates, cBefore, c, dH, carry, dGates }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        const i = gates[k]
        const f = gates[k + H]
        const g = gates[k + 2 * H]
        const o = gates[k + 3 * H]
        const tanhC = Math.tanh(c[at])
        const dc = carry[at] + dH[at] * o * (1 - tanhC * tanhC)
        dGates[k] = dc * g * gateSlope(isHard, i)
        dGates[k + H] = dc * cBefore[at] * gateSlope(isHard, f)
        dGates[k + 2 * H] = dc * i * (1 - g * g)
        dGates[k + 3 * H] = dH[at] * tanhC * gateSlope(isHard, o)
        carry[at] = dc * f
      }
    }
  },
}

/**
 * As kernels/cells/gru.h, with m = h_{t-1}·W_hnᵀ + b_hn in its own slot:
 *
 *     n = tanh(x_t·W_inᵀ + b_in + r·m)     ṅ = h̄·(1 − z)·(1 − n²)   ż = h̄·(h_{t-1} − n)·z(1 − z)
 *     h = (1 − z)·n + z·h_{t-1}            ṁ = ṅ·r                    ṙ = ṅ·m·r(1 − r)
 */
const gru: JsCell = {
  slots: 4,
  products: [
    { gate: 0, count: 2, slot: 0, x: true, h: true },
    { gate: 2, count: 1, slot: 2, x: true },
    { gate: 2, count: 1, slot: 3, h: true },
  ],
  forward({ rows, H, stride, isHard, gates, hBefore, h }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        const r = gateOf(isHard, gates[k])
        const z = gateOf(isHard, gates[k + H])
        const n = Math.tanh(gates[k + 2 * H] + r * gates[k + 3 * H])
        h[at] = (1 - z) * n + z * hBefore[at]
        gates[k] = r
        gates[k + H] = z
        gates[k + 2 * H] = n
      }
    }
  },
  backward({ rows, H, stride, isHard, gates, hBefore, dH, carry, dGates }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        const r = gates[k]
        const z = gates[k + H]
        const n = gates[k + 2 * H]
        const dn = dH[at] * (1 - z) * (1 - n * n)
        dGates[k] = dn * gates[k + 3 * H] * gateSlope(isHard, r)
        dGates[k + H] = dH[at] * (hBefore[at] - n) * gateSlope(isHard, z)
        dGates[k + 2 * H] = dn
        dGates[k + 3 * H] = dn * r
        carry[at] = dH[at] * z
      }
    }
  },
}

/**
 * As kernels/cells/gru-before.h:
 *
 *     n = tanh(x_t·W_inᵀ + b_in + (r·h_{t-1})·W_hnᵀ + b_hn)     ṅ = h̄·(1 − z)·(1 − n²)   ż = h̄·(h_{t-1} − n)·z(1 − z)
 *     h = (1 − z)·n + z·h_{t-1}                                 ṙ = (ṅ·W_hn)·h_{t-1}·r(1 − r)
 */
const gruResetBefore: JsCell = {
  slots: 3,
  products: [
    { gate: 0, count: 2, slot: 0, x: true, h: true },
    { gate: 2, count: 1, slot: 2, x: true },
    { gate: 2, count: 1, slot: 2, reset: true },
  ],
  forward({ rows, H, stride, isHard, gates, hBefore, resets }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        gates[k] = gateOf(isHard, gates[k])
        gates[k + H] = gateOf(isHard, gates[k + H])
        resets[at] = gates[k] * hBefore[at]
      }
    }
  },
  forwardReset({ rows, H, stride, gates, hBefore, h }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        const z = gates[k + H]
        const n = Math.tanh(gates[k + 2 * H])
        h[at] = (1 - z) * n + z * hBefore[at]
        gates[k + 2 * H] = n
      }
    }
  },
  backward({ rows, H, stride, isHard, gates, hBefore, dH, carry, dGates }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        const z = gates[k + H]
        const n = gates[k + 2 * H]
        dGates[k + H] = dH[at] * (hBefore[at] - n) * gateSlope(isHard, z)
        dGates[k + 2 * H] = dH[at] * (1 - z) * (1 - n * n)
        carry[at] = dH[at] * z
      }
    }
  },
  backwardReset({ rows, H, stride, isHard, gates, hBefore, carry, dGates, dResets }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        dGates[k] = dResets[at] * hBefore[at] * gateSlope(isHard, gates[k])
        carry[at] += dResets[at] * gates[k]
      }
    }
  },
}

/** As kernels/cells/rnn.h: h = φ(sum), ȧ = h̄·φ′, with φ tanh or max(0, ·). */
const rnn = (isRelu: boolean): JsCell => ({
  slots: 1,
  products: [{ gate: 0, count: 1, slot: 0, x: true, h: true }],
  forward({ rows, H, stride, gates, h }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        h[at] = isRelu ? Math.max(0, gates[k]) : Math.tanh(gates[k])
        gates[k] = h[at]
      }
    }
  },
  backward({ rows, H, stride, gates, dH, dGates }) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let k = row * stride; k < row * stride + H; k++, at++) {
        // NaN passes, as in PyTorch.
        const slope = isRelu ? (gates[k] <= 0 ? 0 : 1) : 1 - gates[k] * gates[k]
        dGates[k] = dH[at] * slope
      }
    }
  },
})

/** The cells. */
export const CELLS: Readonly<Record<Cell, JsCell>> = {
  lstm,
  gru,
  gru_reset_before: gruResetBefore,
  rnn_tanh: rnn(false),
  rnn_relu: rnn(true),
}
