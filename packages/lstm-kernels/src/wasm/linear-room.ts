import type { LinearShape } from '../engine'
import type { Arena, Block } from './arena'
import { layOut } from './layout'

/** The arrays of a linear layer: x and dX `[rows, inFeatures]`, weight and dWeight `[outFeatures, inFeatures]`, and so on. */
type Name = 'x' | 'weight' | 'bias' | 'y' | 'dY' | 'dX' | 'dWeight' | 'dBias'

/** Where the arrays of a linear layer of one shape lie. */
interface LinearArrays {
  readonly addresses: Readonly<Record<Name, number>>
  readonly views: Readonly<Record<Name, Float32Array>>
}

/** Room for the arrays of one linear layer at a time, which grows with the largest and is kept. */
export class LinearRoom {
  private block: Block | null = null
  private shape: LinearShape = { rows: 0, inFeatures: 0, outFeatures: 0 }
  private arrays: LinearArrays | null = null

  constructor(private readonly arena: Arena) {}

  /** The arrays for a layer; what lay there of one of another shape is overwritten. */
  for(shape: LinearShape): LinearArrays {
    const { rows, inFeatures, outFeatures } = this.shape
    if (this.arrays && rows === shape.rows && inFeatures === shape.inFeatures && outFeatures === shape.outFeatures) {
      return this.arrays
    }
    this.arrays = this.layOut(shape)
    this.shape = { ...shape }
    return this.arrays
  }

  private layOut({ rows, inFeatures, outFeatures }: LinearShape): LinearArrays {
    const [x, y, weight] = [rows * inFeatures, rows * outFeatures, outFeatures * inFeatures]
    const sizes = { x, weight, bias: outFeatures, y, dY: y, dX: x, dWeight: weight, dBias: outFeatures }
    const { addresses, bytes } = layOut(sizes)
    if (this.block === null || this.block.bytes < bytes) {
      if (this.block) this.arena.release(this.block)
      this.block = null
      this.arrays = null
      this.block = this.arena.allocate(bytes)
    }
    const views = {} as Record<Name, Float32Array>
    for (const name of Object.keys(sizes) as Name[]) {
      addresses[name] += this.block.at
      views[name] = this.arena.floats.subarray(addresses[name] >> 2, (addresses[name] >> 2) + sizes[name])
    }
    return { addresses, views }
  }
}
