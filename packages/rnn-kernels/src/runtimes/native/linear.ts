import type { LinearOps, LinearShape } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import { isSharedLinear } from '../compiled/partition'
import type { Addon } from './addon'

/** Linear layers as native code. */
export class NativeLinear implements LinearOps {
  private scratch = new Float32Array(0)

  /**
   * @param threads how many the pool has, the calling one included
   * @param poolFor its number, for a layer that is worth other threads
   */
  constructor(
    private readonly addon: Addon,
    private readonly machine: number,
    private readonly clock: KernelClock,
    private readonly threads: number,
    private readonly poolFor: (together: boolean) => number,
  ) {}

  readonly forward: LinearOps['forward'] = (shape, x, weight, bias, y) => {
    const { rows, inFeatures, outFeatures } = shape
    const [scratch, pool] = this.scratchAndPool(shape)
    this.clock.time(() => {
      this.addon.linear(this.machine, rows, inFeatures, outFeatures, x, weight, bias, y, scratch, pool)
    })
  }

  readonly gradients: LinearOps['gradients'] = (shape, dY, x, weight, to) => {
    const { rows, inFeatures, outFeatures } = shape
    const [scratch, pool] = this.scratchAndPool(shape)
    this.clock.time(() => {
      const sizes = [this.machine, rows, inFeatures, outFeatures] as const
      this.addon.linearGradients(...sizes, dY, x, weight, to.x, to.weight, to.bias, scratch, pool)
    })
  }

  /** Room for the largest layer so far, of every thread. */
  private scratchAndPool(shape: LinearShape): [Float32Array, number] {
    const { rows, inFeatures, outFeatures } = shape
    const together = this.threads > 1 && isSharedLinear(shape)
    const wanted = (together ? this.threads : 1) * this.addon.linear(this.machine, rows, inFeatures, outFeatures)
    if (this.scratch.length < wanted) this.scratch = new Float32Array(wanted)
    return [this.scratch, this.poolFor(together)]
  }
}
