import { type JsCell, readsBoth } from './cell'

/** As kernels/cells/rnn.h: h = φ(sum), ȧ = h̄·φ′, with φ tanh or max(0, ·). */
export function rnn(activate: (x: number) => number, slope: (y: number) => number): JsCell {
  return {
    slots: [readsBoth(0)],
    carriesHidden: false,
    forward({ rows, hiddenSize, gates, h }) {
      for (let at = 0; at < rows * hiddenSize; at++) {
        h[at] = activate(gates[at])
        gates[at] = h[at]
      }
    },
    backward({ rows, hiddenSize, gates, dH, dGates }) {
      for (let at = 0; at < rows * hiddenSize; at++) dGates[at] = dH[at] * slope(gates[at])
    },
  }
}
