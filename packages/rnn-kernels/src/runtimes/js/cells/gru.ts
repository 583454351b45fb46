import { gateOf, gateSlope, type JsCell, readsBoth } from './cell'

/**
 * As kernels/cells/gru.h, with m = h_{t-1}·W_hnᵀ + b_hn:
 *
 *     n = tanh(x_t·W_inᵀ + b_in + r·m)     ṅ = h̄·(1 − z)·(1 − n²)   ż = h̄·(h_{t-1} − n)·z(1 − z)
 *     h = (1 − z)·n + z·h_{t-1}            ṁ = ṅ·r                    ṙ = ṅ·m·r(1 − r)
 */
export function gru(isHard: boolean): JsCell {
  return {
    slots: [
      readsBoth(0),
      readsBoth(1),
      { gate: 2, input: true, hidden: false, biasIh: true, biasHh: false },
      { gate: 2, input: false, hidden: true, biasIh: false, biasHh: true },
    ],
    carriesHidden: true,
    forward({ rows, hiddenSize, gates, hBefore, h }) {
      for (let at = 0, k = 0; at < rows * hiddenSize; at++, k += 4) {
        const r = gateOf(isHard, gates[k])
        const z = gateOf(isHard, gates[k + 1])
        const n = Math.tanh(gates[k + 2] + r * gates[k + 3])
        h[at] = (1 - z) * n + z * hBefore[at]
        gates[k] = r
        gates[k + 1] = z
        gates[k + 2] = n
      }
    },
    backward({ rows, hiddenSize, gates, hBefore, dH, carry, dGates }) {
      for (let at = 0, k = 0; at < rows * hiddenSize; at++, k += 4) {
        const r = gates[k]
        const z = gates[k + 1]
        const n = gates[k + 2]
        const dn = dH[at] * (1 - z) * (1 - n * n)
        dGates[k] = dn * gates[k + 3] * gateSlope(isHard, r)
        dGates[k + 1] = dH[at] * (hBefore[at] - n) * gateSlope(isHard, z)
        dGates[k + 2] = dn
        dGates[k + 3] = dn * r
        carry[at] = dH[at] * z
      }
    },
  }
}
