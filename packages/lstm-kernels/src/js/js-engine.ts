import type { ForwardInputs, ForwardOutputs, LSTMEngine, LSTMShape, SavedForward } from '../engine'
import { KernelStateError } from '../errors'
import { type ForwardTrace, runBackward } from './backward'
import { runForward } from './forward'
import { linearBackward, linearForward } from './linear'
import { multiplyRows } from './multiply'
import { packWeights } from './pack'

/** Computes in plain JavaScript, in float64 inside: for runtimes without WASM SIMD. */
export class JsEngine implements LSTMEngine {
  readonly path = 'js'
  readonly threads = 1
  readonly runningThreads = 1
  readonly vectorBits = 0
  readonly milliseconds = 0
  readonly linear = linearForward
  readonly linearGradients = linearBackward

  forward(shape: LSTMShape, inputs: ForwardInputs): ForwardOutputs {
    const packed = packWeights(inputs.weights(), shape)
    const trace = runForward(shape, packed, inputs)
    const { output, h, c } = trace
    return { h, c, ...(output && { output }), ...(inputs.save && { saved: keep(trace, inputs.initial !== undefined) }) }
  }

  dispose(): void {}
}

function keep(trace: ForwardTrace, hasInitial: boolean): SavedForward {
  let state: 'forward' | 'backward' | 'released' = 'forward'
  return {
    backward(upstream, { byInputs = false, byInitial = false } = {}) {
      if (state !== 'forward')
        throw new KernelStateError(`a forward pass can be differentiated once, this one is ${state}`)
      state = 'backward'
      const gradients = runBackward(trace, upstream, hasInitial && byInitial)
      return { ...gradients, ...(byInputs && { x: inputGradient(trace) }) }
    },
    release() {
      state = 'released'
    },
  }
}

/** dx_t = ġ_t·W_ih, [N, T, I]. */
function inputGradient({ shape, packed, gates }: ForwardTrace): Float32Array {
  const { batch, time, inputSize, hiddenSize, reverse } = shape
  const dx = new Float32Array(batch * time * inputSize)
  const sums = new Float64Array(batch * 4)
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step
    for (let panel = 0; 4 * panel < inputSize; panel++) {
      multiplyRows(gates[step], 4 * hiddenSize, batch, packed.ihTransposed[panel], sums)
      const width = Math.min(4, inputSize - 4 * panel)
      for (let row = 0; row < batch; row++) {
        const at = (row * time + t) * inputSize + 4 * panel
        for (let k = 0; k < width; k++) dx[at + k] = sums[4 * row + k]
      }
    }
  }
  return dx
}
