import type { LinearOps, LinearShape } from '../../runtime'
import type { KernelClock } from '../compiled/machine'
import type { Arena, Block } from './arena'
import type { KernelExports } from './module'

/** The arrays of a linear layer: x and dX `[rows, inFeatures]`, weight and dWeight `[outFeatures, inFeatures]`, and so on. */
const NAMES = ['x', 'weight', 'bias', 'y', 'dY', 'dX', 'dWeight', 'dBias', 'scratch'] as const
type Name = (typeof NAMES)[number]

const LINE_BYTES = 64

/** Linear layers in the kernels' memory, one at a time, on the calling thread. */
export class WasmLinear implements LinearOps {
  private block: Block | null = null
  private shape = ''
  private arrays: Record<Name, Float32Array> | null = null

  constructor(
    private readonly arena: Arena,
    private readonly kernels: KernelExports,
    private readonly clock: KernelClock,
  ) {}

  readonly forward: LinearOps['forward'] = (shape, x, weight, bias, y) => {
    const { rows, inFeatures, outFeatures } = shape
    const to = this.arraysFor(shape)
    to.x.set(x)
    to.weight.set(weight)
    if (bias) to.bias.set(bias)
    const [xAt, weightAt, biasAt, yAt, scratch] = addresses(to.x, to.weight, to.bias, to.y, to.scratch)
    this.clock.time(() => {
      this.kernels.linear(xAt, weightAt, bias ? biasAt : 0, yAt, rows, inFeatures, outFeatures, scratch)
    })
    y.set(to.y)
  }

  readonly gradients: LinearOps['gradients'] = (shape, dY, x, weight, gradients) => {
    const { rows, inFeatures, outFeatures } = shape
    const to = this.arraysFor(shape)
    to.dY.set(dY)
    to.x.set(x)
    to.weight.set(weight)
    const read = addresses(to.dY, to.x, to.weight)
    const written = addresses(to.dX, to.dWeight, to.dBias)
    this.clock.time(() => {
      this.kernels.linearGradients(...read, ...written, rows, inFeatures, outFeatures, to.scratch.byteOffset)
    })
    gradients.x.set(to.dX)
    gradients.weight.set(to.dWeight)
    gradients.bias.set(to.dBias)
  }

  private arraysFor(shape: LinearShape): Record<Name, Float32Array> {
    const { rows, inFeatures, outFeatures } = shape
    const key = [rows, inFeatures, outFeatures].join()
    if (this.arrays && key === this.shape) return this.arrays
    const [x, y, weight] = [rows * inFeatures, rows * outFeatures, outFeatures * inFeatures]
    const scratch = this.kernels.linearScratch(rows, inFeatures, outFeatures)
    const sizes = { x, weight, bias: outFeatures, y, dY: y, dX: x, dWeight: weight, dBias: outFeatures, scratch }
    const bytesOf = (name: Name): number => Math.ceil((4 * sizes[name]) / LINE_BYTES) * LINE_BYTES
    this.arrays = null
    let at = this.reserve(NAMES.reduce((sum, name) => sum + bytesOf(name), 0))
    const arrays = {} as Record<Name, Float32Array>
    for (const name of NAMES) {
      arrays[name] = new Float32Array(this.arena.memory.buffer, at, sizes[name])
      at += bytesOf(name)
    }
    this.shape = key
    this.arrays = arrays
    return arrays
  }

  /** The address of so many bytes, which grow with the largest layer. */
  private reserve(bytes: number): number {
    if (this.block === null || this.block.bytes < bytes) {
      if (this.block) this.arena.release(this.block)
      this.block = null
      this.block = this.arena.allocate(bytes)
    }
    return this.block.at
  }
}

function addresses(...arrays: Float32Array[]): number[] {
  return arrays.map(({ byteOffset }) => byteOffset)
}
