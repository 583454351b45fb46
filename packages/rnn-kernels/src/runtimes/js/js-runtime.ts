import type { Runtime, RuntimeReport } from '../../runtime'
import { jsAdam } from './adam'
import { linear } from './linear'
import { forward } from './recurrent'
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
