import type { LSTMWeights } from '../engine'
import type { Arena, Block } from './arena'
import { ceil4, ceil8, layOut } from './layout'

/** Weights in the kernels' memory: as PyTorch lays them out, and packed. Addresses in bytes. */
export interface PackedWeights {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly hasBias: boolean
  readonly weightIh: number
  readonly weightHh: number
  readonly biasIh: number
  readonly biasHh: number
  readonly forward: number
  readonly bias: number
  readonly hhTransposed: number
  readonly ihTransposed: number
  /** Passes that still read it. */
  users: number
  /** Whether a gradient was to be taken: such weights change with the next step, and their room is soon free. */
  trained: boolean
  key: readonly object[]
  block: Block
}

/** Weight sets that are kept: more than any model here has layers and directions. */
const CAPACITY = 16

/** Keeps weights packed for as long as they do not change, and reuses the room of those that did. */
export class WeightsCache {
  private entries: PackedWeights[] = [] // least recently used first

  constructor(private readonly arena: Arena) {}

  /** The packed weights of a key; `pack` is called on those that were not there. */
  get(
    key: readonly object[],
    inputSize: number,
    hiddenSize: number,
    weights: () => LSTMWeights,
    pack: (entry: PackedWeights) => void,
  ): PackedWeights {
    const known = this.entries.find((entry) => sameKey(entry.key, key))
    if (known) {
      this.touch(known)
      return known
    }
    const values = weights()
    const hasBias = values.biasIh !== undefined && values.biasHh !== undefined
    const entry = this.recycle(inputSize, hiddenSize, hasBias) ?? this.make(inputSize, hiddenSize, hasBias)
    const { floats } = this.arena
    floats.set(values.weightIh, entry.weightIh >> 2)
    floats.set(values.weightHh, entry.weightHh >> 2)
    if (values.biasIh && values.biasHh) {
      floats.set(values.biasIh, entry.biasIh >> 2)
      floats.set(values.biasHh, entry.biasHh >> 2)
    }
    pack(entry)
    entry.key = key
    entry.trained = false
    this.touch(entry)
    return entry
  }

  private touch(entry: PackedWeights): void {
    const { entries } = this
    if (entries.at(-1) === entry) return
    const index = entries.indexOf(entry)
    if (index >= 0) entries.splice(index, 1)
    entries.push(entry)
  }

  /** The room of an unused set of the same shape whose weights were trained, hence have changed; of any once there are too many. */
  private recycle(inputSize: number, hiddenSize: number, hasBias: boolean): PackedWeights | undefined {
    const same = this.entries.filter(
      (entry) =>
        entry.users === 0 &&
        entry.inputSize === inputSize &&
        entry.hiddenSize === hiddenSize &&
        entry.hasBias === hasBias,
    )
    return same.find(({ trained }) => trained) ?? (this.entries.length >= CAPACITY ? same[0] : undefined)
  }

  private make(inputSize: number, hiddenSize: number, hasBias: boolean): PackedWeights {
    while (this.entries.length >= CAPACITY) {
      const unused = this.entries.find(({ users }) => users === 0)
      if (unused === undefined) break
      this.entries = this.entries.filter((entry) => entry !== unused)
      this.arena.release(unused.block)
    }
    const units = ceil8(hiddenSize)
    const sizes = {
      weightIh: 4 * hiddenSize * inputSize,
      weightHh: 4 * hiddenSize * hiddenSize,
      biasIh: hasBias ? 4 * hiddenSize : 0,
      biasHh: hasBias ? 4 * hiddenSize : 0,
      forward: 4 * units * (ceil4(inputSize) + units),
      bias: 4 * units,
      hhTransposed: 128 * units * Math.ceil(hiddenSize / 32),
      ihTransposed: 128 * units * Math.ceil(inputSize / 32),
    }
    const { addresses, bytes } = layOut(sizes)
    const block = this.arena.allocate(bytes)
    const at = (name: keyof typeof sizes): number => (sizes[name] === 0 ? 0 : block.at + addresses[name])
    return {
      ...{ inputSize, hiddenSize, hasBias, users: 0, trained: false, key: [], block },
      weightIh: at('weightIh'),
      weightHh: at('weightHh'),
      biasIh: at('biasIh'),
      biasHh: at('biasHh'),
      forward: at('forward'),
      bias: at('bias'),
      hhTransposed: at('hhTransposed'),
      ihTransposed: at('ihTransposed'),
    }
  }
}

function sameKey(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((object, index) => object === b[index])
}
