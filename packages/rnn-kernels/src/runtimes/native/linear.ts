import type { LinearGradients, LinearOps, LinearShape } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import type { Addon } from './addon'

interface Arrays {
  shape: LinearShape
  scratch: Float32Array
  y: Float32Array
  dX: Float32Array
  dWeightAndBias: Float32Array
  dWeight: Float32Array
  dBias: Float32Array
}

/** Shapes whose arrays are kept: a step alternates between a few layers. */
const KEPT = 4

/** Linear layers as native code, one at a time, on the calling thread. */
export class NativeLinear implements LinearOps {
  private known: Arrays[] = [] // the last used first

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
    const place = this.known.findIndex(
      ({ shape }) => shape.rows === rows && shape.inFeatures === inFeatures && shape.outFeatures === outFeatures,
    )
    if (place === 0) return this.known[0]
    const found = this.known.splice(place < 0 ? KEPT - 1 : place, 1)
    const arrays = place < 0 ? this.newArrays({ rows, inFeatures, outFeatures }) : found[0]
    this.known.unshift(arrays)
    return arrays
  }

  private newArrays({ rows, inFeatures, outFeatures }: LinearShape): Arrays {
    const weights = inFeatures * outFeatures
    const dWeightAndBias = new Float32Array(weights + outFeatures)
    return {
      shape: { rows, inFeatures, outFeatures },
      scratch: new Float32Array(this.addon.linear(this.machine, rows, inFeatures, outFeatures)),
      y: new Float32Array(rows * outFeatures),
      dX: new Float32Array(rows * inFeatures),
      dWeightAndBias,
      dWeight: dWeightAndBias.subarray(0, weights),
      dBias: dWeightAndBias.subarray(weights),
    }
  }
}
