import { KernelMemoryError } from '../../errors'
import type { LinearOps, LinearShape } from '../../runtime'
import { isSharedLinear, MAX_SLICES } from '../compiled/partition'
import { type Arena, type Block, bytesOf } from './arena'
import type { KernelExports } from './module'
import type { Operation } from './threads/control'

/** The arrays of a linear layer, in the order of kernels/linear-job.h: x and dX `[rows, inFeatures]`, weight and dWeight `[outFeatures, inFeatures]`, and so on. */
const NAMES = ['x', 'weight', 'bias', 'y', 'dY', 'dX', 'dWeight', 'dBias', 'scratch'] as const
type Name = (typeof NAMES)[number]

/** The words of a job: rows, inFeatures, outFeatures, parts, and the addresses of the arrays. */
const WORDS = 4 + NAMES.length
const BIAS = 4 + NAMES.indexOf('bias')
/** The kernels index floats with 32 bits, and their memory ends at 2 GiB. */
const MOST_FLOATS = 2 ** 29

/** Runs a kernel on so many parts of a job, on all threads or on the calling one. */
export type RunParts = (operation: Operation, job: number, parts: number, together: boolean) => void

/** Linear layers in the kernels' memory, one at a time. */
export class WasmLinear implements LinearOps {
  private block: Block | null = null
  private shape = ''
  private arrays: Record<Name, Float32Array> | null = null
  private words: Int32Array = new Int32Array(0)
  private parts = 1

  /** @param threads how many there are at most */
  constructor(
    private readonly arena: Arena,
    private readonly kernels: KernelExports,
    private readonly threads: number,
    private readonly run: RunParts,
  ) {}

  readonly forward: LinearOps['forward'] = (shape, x, weight, bias, y) => {
    const to = this.arraysFor(shape)
    to.x.set(x)
    to.weight.set(weight)
    if (bias) to.bias.set(bias)
    this.words[BIAS] = bias ? to.bias.byteOffset : 0
    this.run('linear', this.words.byteOffset, this.parts, this.parts > 1)
    y.set(to.y)
  }

  readonly gradients: LinearOps['gradients'] = (shape, dY, x, weight, gradients) => {
    const to = this.arraysFor(shape)
    to.dY.set(dY)
    to.x.set(x)
    to.weight.set(weight)
    // As many parts for dX, and for the others.
    this.run('linearGradients', this.words.byteOffset, 2 * this.parts, this.parts > 1)
    gradients.x.set(to.dX)
    gradients.weight.set(to.dWeight)
    gradients.bias.set(to.dBias)
  }

  /** A job of a shape, and its arrays. */
  private arraysFor(shape: LinearShape): Record<Name, Float32Array> {
    const { rows, inFeatures, outFeatures } = shape
    const key = [rows, inFeatures, outFeatures].join()
    if (this.arrays && key === this.shape) return this.arrays
    const [x, y, weight] = [rows * inFeatures, rows * outFeatures, outFeatures * inFeatures]
    if (x + y + weight >= MOST_FLOATS) {
      throw new KernelMemoryError(
        `a linear layer of ${rows} rows, ${inFeatures} features and ${outFeatures} outputs needs more than the 2 GiB of the kernels`,
      )
    }
    const parts = isSharedLinear(shape) ? Math.min(this.threads, MAX_SLICES / 2) : 1
    // Whichever thread takes a part has scratch of its own.
    const scratch = (parts > 1 ? this.threads : 1) * this.kernels.linearScratch(rows, inFeatures, outFeatures)
    const sizes = { x, weight, bias: outFeatures, y, dY: y, dX: x, dWeight: weight, dBias: outFeatures, scratch }
    const lengths = [WORDS, ...NAMES.map((name) => sizes[name])]
    this.arrays = null
    const [words, ...placed] = this.arena.arraysAt(this.reserve(bytesOf(lengths)), lengths)
    const arrays = {} as Record<Name, Float32Array>
    NAMES.forEach((name, index) => {
      arrays[name] = placed[index]
    })
    this.words = new Int32Array(words.buffer, words.byteOffset, WORDS)
    this.words.set([rows, inFeatures, outFeatures, parts, ...placed.map(({ byteOffset }) => byteOffset)])
    this.shape = key
    this.parts = parts
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
