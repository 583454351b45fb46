import { gateOf, gateSlope, type JsCell, readsBoth } from './cell'

/**
 * As kernels/cells/lstm.h:
 *
 *     c = σ(f)·c + σ(i)·tanh(g)     c̄ += h̄·o·(1 − tanh²c)   i̇ = c̄·g·i(1 − i)   ḟ = c̄·c_{t-1}·f(1 − f)
 *     h = σ(o)·tanh(c)              ġ = c̄·i·(1 − g²)         ȯ = h̄·tanh c·o(1 − o)      c̄ ← c̄·f
 */
export function lstm(isHard: boolean): JsCell {
  return {
    slots: [0, 1, 2, 3].map(readsBoth),
    carriesHidden: false,
    forward({ rows, hiddenSize, gates, h, cBefore, c }) {
      for (let at = 0, k = 0; at < rows * hiddenSize; at++, k += 4) {
        const i = gateOf(isHard, gates[k])
        const f = gateOf(isHard, gates[k + 1])
        const g = Math.tanh(gates[k + 2])
        const o = gateOf(isHard, gates[k + 3])
        const cNext = f * cBefore[at] + i * g
        c[at] = cNext
        h[at] = o * Math.tanh(cNext)
        gates[k] = i
        gates[k + 1] = f
        gates[k + 2] = g
        gates[k + 3] = o
      }
    },
    backward({ rows, hiddenSize, gates, cBefore, c, dH, carry, dGates }) {
      for (let at = 0, k = 0; at < rows * hiddenSize; at++, k += 4) {
        const i = gates[k]
        const f = gates[k + 1]
        const g = gates[k + 2]
        const o = gates[k + 3]
        const tanhC = Math.tanh(c[at])
        const dc = carry[at] + dH[at] * o * (1 - tanhC * tanhC)
        dGates[k] = dc * g * gateSlope(isHard, i)
        dGates[k + 1] = dc * cBefore[at] * gateSlope(isHard, f)
        dGates[k + 2] = dc * i * (1 - g * g)
        dGates[k + 3] = dH[at] * tanhC * gateSlope(isHard, o)
        carry[at] = dc * f
      }
    },
  }
}
