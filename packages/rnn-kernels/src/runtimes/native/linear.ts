import type { LinearGradients, LinearOps, LinearShape } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import type { Addon } from './addon'

interface Arrays {
  scratch: Float32Array
  y: Float32Array
  dX: Float32Array
  dWeightAndBias: Float32Array
  dWeight: Float32Array
  dBias: Float32Array
}

/** Linear layers as native code, one at a time, on the calling thread. */
export class NativeLinear implements LinearOps {
  private shape: LinearShape = { rows: 0, inFeatures: 0, outFeatures: 0 }
  private arrays: Arrays | null = null

  constructor(
    private readonly addon: Addon,
    private readonly machine: number,
    private readonly clock: KernelClock,
  ) {}

  forward(shape: LinearShape, x: Float32Array, weight: Float32Array, bias: Float32Array | undefined): Float32Array {
    const { rows, inFeatures, outFeatures } = shape
    const { y, scratch } = this.arraysFor(shape)
    this.clock.time(() => {
      this.addon.linear(this.machine, rows, inFeatures, outFeatures, x, weight, bias, y, scratch)
    })
    return y
  }

  gradients(shape: LinearShape, dY: Float32Array, x: Float32Array, weight: Float32Array): LinearGradients {
    const { rows, inFeatures, outFeatures } = shape
    const { dX, dWeightAndBias, dWeight, dBias, scratch } = this.arraysFor(shape)
    this.clock.time(() => {
      const sizes = [this.machine, rows, inFeatures, outFeatures] as const
      this.addon.linearGradients(...sizes, dY, x, weight, dX, dWeightAndBias, scratch)
    })
    return { x: dX, weight: dWeight, bias: dBias }
  }

  private arraysFor({ rows, inFeatures, outFeatures }: LinearShape): Arrays {
    const known = this.shape
    if (this.arrays && known.rows === rows && known.inFeatures === inFeatures && known.outFeatures === outFeatures)
      return this.arrays
    const weights = inFeatures * outFeatures
    const dWeightAndBias = new Float32Array(weights + outFeatures)
    this.arrays = {
      scratch: new Float32Array(this.addon.linear(this.machine, rows, inFeatures, outFeatures)),
      y: new Float32Array(rows * outFeatures),
      dX: new Float32Array(rows * inFeatures),
      dWeightAndBias,
      dWeight: dWeightAndBias.subarray(0, weights),
      dBias: dWeightAndBias.subarray(weights),
    }
    this.shape = { rows, inFeatures, outFeatures }
    return this.arrays
  }
}
