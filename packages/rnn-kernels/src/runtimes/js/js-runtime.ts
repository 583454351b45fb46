import { KernelStateError } from '../../errors'
import type { RecurrentInputs, RecurrentOutputs, RecurrentShape, Runtime, RuntimeReport } from '../../runtime'
import { jsAdam } from './adam'
import { runBackward } from './backward'
import { runForward } from './forward'
import { linear } from './linear'
import { rowsOf, sumsOf } from './lookup'
import { losses } from './softmax'

/** Computes in plain JavaScript, in float64 inside: for machines without WebAssembly. */
export class JsRuntime implements Runtime {
  readonly name = 'js'
  readonly recurrent = { forward }
  readonly linear = linear
  readonly optimize = { adam: jsAdam }
  readonly losses = losses

  report(): RuntimeReport {
    return { threads: 1, milliseconds: 0 }
  }

  dispose(): void {}
}

function forward(shape: RecurrentShape, inputs: RecurrentInputs): RecurrentOutputs {
  // A copy: the gradient is summed when the tokens may be others.
  const lookup = 'tokens' in inputs.x ? { ...inputs.x, tokens: inputs.x.tokens.slice() } : undefined
  const x = 'tokens' in inputs.x ? rowsOf(inputs.x, shape.inputSize) : inputs.x
  const { outputs, trace } = runForward(shape, { ...inputs, x })
  if (!inputs.save) return outputs
  let released = false
  return {
    ...outputs,
    saved: {
      backward(upstream, wanted = {}) {
        if (released) throw new KernelStateError('the forward pass of this gradient was released')
        const gradients = runBackward(trace, upstream, wanted)
        if (lookup && gradients.x) gradients.x = sumsOf(lookup, shape.inputSize, gradients.x)
        return gradients
      },
      release() {
        released = true
        trace.steps.length = 0
      },
    },
  }
}
