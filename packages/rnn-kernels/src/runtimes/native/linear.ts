import type { LinearOps } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import type { Addon } from './addon'

/** Linear layers as native code, on the calling thread. */
export class NativeLinear implements LinearOps {
  private scratch = new Float32Array(0)

  constructor(
    private readonly addon: Addon,
    private readonly machine: number,
    private readonly clock: KernelClock,
  ) {}

  readonly forward: LinearOps['forward'] = ({ rows, inFeatures, outFeatures }, x, weight, bias, y) => {
    const scratch = this.scratchFor(rows, inFeatures, outFeatures)
    this.clock.time(() => {
      this.addon.linear(this.machine, rows, inFeatures, outFeatures, x, weight, bias, y, scratch)
    })
  }

  readonly gradients: LinearOps['gradients'] = ({ rows, inFeatures, outFeatures }, dY, x, weight, to) => {
    const scratch = this.scratchFor(rows, inFeatures, outFeatures)
    this.clock.time(() => {
      const sizes = [this.machine, rows, inFeatures, outFeatures] as const
      this.addon.linearGradients(...sizes, dY, x, weight, to.x, to.weight, to.bias, scratch)
    })
  }

  /** Room for the largest layer so far. */
  private scratchFor(rows: number, inFeatures: number, outFeatures: number): Float32Array {
    const wanted = this.addon.linear(this.machine, rows, inFeatures, outFeatures)
    if (this.scratch.length < wanted) this.scratch = new Float32Array(wanted)
    return this.scratch
  }
}
