import type { RecurrentShape, RecurrentWeights } from '../../runtime'
import { cellIndex } from './cell-index'
import type { Job, Machine } from './machine'

/** What decides how weights are packed. */
type Kind = Pick<RecurrentShape, 'cell' | 'gateActivation' | 'inputSize' | 'hiddenSize'> & { tensors: number }

/** Weights in the kernels' memory, as PyTorch lays them out and packed. */
export interface PackedWeights {
  readonly job: Job
  readonly kind: Kind
  /** Passes that still read it. */
  users: number
  /** Whether a gradient was taken: such weights change with the next step, and their memory is soon free. */
  trained: boolean
  version: readonly object[]
}

/** Weight sets that are kept: more than a model has layers and directions. */
const CAPACITY = 16

/** Keeps weights packed while they do not change, and reuses the memory of those that did. */
export class WeightsCache {
  private entries: PackedWeights[] = [] // least recently used first

  constructor(private readonly machine: Machine) {}

  /** The packed weights of a version. */
  get(shape: RecurrentShape, version: readonly object[], weights: () => RecurrentWeights): PackedWeights {
    const known = this.entries.find(
      (entry) => isSame(entry.version, version) && isKind(entry.kind, shape, version.length),
    )
    if (known) return this.touch(known)
    const values = weights()
    const hasBias = values.biasIh !== undefined && values.biasHh !== undefined
    const entry = this.recycle(shape, version.length) ?? this.make(shape, hasBias, version.length)
    entry.version = []
    this.machine.pack(entry.job, shape, values)
    entry.version = version
    entry.trained = false
    return this.touch(entry)
  }

  private touch(entry: PackedWeights): PackedWeights {
    const { entries } = this
    if (entries.at(-1) === entry) return entry
    const index = entries.indexOf(entry)
    if (index >= 0) entries.splice(index, 1)
    entries.push(entry)
    return entry
  }

  /** Unused memory of weights that have changed; of any weights once there are too many. */
  private recycle(shape: RecurrentShape, tensors: number): PackedWeights | undefined {
    const same = this.entries.filter((entry) => entry.users === 0 && isKind(entry.kind, shape, tensors))
    return same.find(({ trained }) => trained) ?? (this.entries.length >= CAPACITY ? same[0] : undefined)
  }

  private make(shape: RecurrentShape, hasBias: boolean, tensors: number): PackedWeights {
    while (this.entries.length >= CAPACITY) {
      const unused = this.entries.find(({ users }) => users === 0)
      if (unused === undefined) break
      this.entries = this.entries.filter((entry) => entry !== unused)
      unused.job.dispose()
    }
    const { cell, gateActivation, inputSize, hiddenSize } = shape
    const numbers = { cell: cellIndex(shape), batch: 1, time: 1, slices: 1, threads: 1, inputSize, hiddenSize, hasBias }
    const job = this.machine.newJob('weights', numbers)
    const kind = { cell, gateActivation, inputSize, hiddenSize, tensors }
    return { job, kind, users: 0, trained: false, version: [] }
  }
}

function isSame(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((object, index) => object === b[index])
}

/** Cells pack weights in ways of their own. */
function isKind(kind: Kind, shape: RecurrentShape, tensors: number): boolean {
  return (
    kind.cell === shape.cell &&
    kind.gateActivation === shape.gateActivation &&
    kind.inputSize === shape.inputSize &&
    kind.hiddenSize === shape.hiddenSize &&
    kind.tensors === tensors
  )
}
