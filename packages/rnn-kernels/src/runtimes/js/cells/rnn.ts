import { type JsCell, readsBoth } from './cell'

/** As kernels/cells/rnn.h: h = φ(sum), ȧ = h̄·φ′, with φ tanh or max(0, ·). */
export function rnn(isRelu: boolean): JsCell {
  return {
    slots: [readsBoth(0)],
    carriesHidden: false,
    forward({ rows, hiddenSize, gates, h }) {
      for (let at = 0; at < rows * hiddenSize; at++) {
        h[at] = isRelu ? Math.max(0, gates[at]) : Math.tanh(gates[at])
        gates[at] = h[at]
      }
    },
    backward({ rows, hiddenSize, gates, dH, dGates }) {
      for (let at = 0; at < rows * hiddenSize; at++) dGates[at] = dH[at] * slopeOf(isRelu, gates[at])
    },
  }
}

function slopeOf(isRelu: boolean, h: number): number {
  if (isRelu) return h <= 0 ? 0 : 1 // NaN passes, as in PyTorch
  return 1 - h * h
}
