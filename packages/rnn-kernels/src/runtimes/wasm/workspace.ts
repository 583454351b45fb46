import { GATES, hasCellState } from '../../cell'
import { KernelMemoryError } from '../../errors'
import type { RecurrentGradients, RecurrentShape, Upstream, WantedGradients } from '../../runtime'
import type { Arena, Block } from './arena'
import { cellIndex } from './cell-index'
import { Job } from './job'
import type { KernelExports } from './module'
import type { PackedWeights } from './weights-cache'

/** What decides how a workspace is laid out, beside the shape of the work. */
export interface WorkspaceUse {
  save: boolean
  wantsOutput: boolean
  hasInitial: boolean
  hasLengths: boolean
  slices: number
  threads: number
}

const SIZES = ['batch', 'time', 'inputSize', 'hiddenSize', 'reverse'] as const
const USES = ['save', 'wantsOutput', 'hasInitial', 'hasLengths', 'slices', 'threads'] as const
const PACKED = ['forward', 'bias', 'transposedHh', 'transposedIh'] as const

/** Gradients that a pass may do without: their fields are null then. */
const OPTIONAL = ['dOutput', 'dHFinal', 'dCFinal', 'dHInitial', 'dCInitial'] as const
type Optional = (typeof OPTIONAL)[number]

/** The kernels index floats with 32 bits, and their memory ends at 2 GiB. */
const MOST_FLOATS = 2 ** 29

/** Memory for one pass: a job, its inputs and outputs, and what the backward pass needs. Laid out once per shape. */
export class Workspace {
  readonly job: Job
  /** Floats of `[N, H]`. */
  private readonly states: number
  /** Where the optional gradients are. */
  private readonly planned: Record<Optional, number>
  private inputGradient: Block | null = null

  constructor(
    private readonly arena: Arena,
    kernels: KernelExports,
    readonly shape: RecurrentShape,
    readonly use: WorkspaceUse,
  ) {
    const { batch, hiddenSize } = shape
    requireIndexable(shape, use)
    this.states = batch * hiddenSize
    this.job = new Job(arena)
    this.job.set('cell', cellIndex(shape))
    for (const name of SIZES) this.job.set(name, shape[name])
    for (const name of USES) this.job.set(name, use[name])
    try {
      this.job.allocate((job, base) => kernels.planPass(job, base))
    } catch (error) {
      this.job.dispose()
      throw error
    }
    this.planned = Object.fromEntries(OPTIONAL.map((name) => [name, this.job.get(name)])) as Record<Optional, number>
  }

  /** Whether a pass of this shape can use it. */
  fits(shape: RecurrentShape, use: WorkspaceUse): boolean {
    const mine = this.shape
    if (mine.cell !== shape.cell || mine.gateActivation !== shape.gateActivation) return false
    return SIZES.every((name) => mine[name] === shape[name]) && USES.every((name) => this.use[name] === use[name])
  }

  /** Points the job at weights. */
  useWeights({ job }: PackedWeights): void {
    for (const name of PACKED) this.job.set(name, job.get(name))
  }

  /** Copies the inputs of rows begin … end − 1 in. */
  writeRows(x: Float32Array, begin: number, end: number): void {
    const row = this.shape.time * this.shape.inputSize
    this.job.floats('x', this.shape.batch * row).set(x.subarray(begin * row, end * row), begin * row)
  }

  /** Orders the rows by length, longest first and stable, so the rows that still have a step come first. */
  writeLengths(lengths: Int32Array): void {
    const { batch } = this.shape
    const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a] || a - b)
    const ordered = order.map((row) => lengths[row])
    const starts = this.job.integers('starts', batch + 1)
    this.job.integers('order', batch).set(order)
    this.job.integers('lengths', batch).set(ordered)
    starts[0] = 0
    for (let place = 0; place < batch; place++) starts[place + 1] = starts[place] + ordered[place]
  }

  /** Copies the initial state in. */
  writeInitial({ h, c }: { h: Float32Array; c?: Float32Array }): void {
    this.job.floats('hInitial', this.states).set(h)
    if (!hasCellState(this.shape.cell)) return
    const cells = this.job.floats('cInitial', this.states)
    if (c) cells.set(c)
    else cells.fill(0)
  }

  /** Copies the upstream gradients in; null fields say that there are none. */
  writeUpstream({ output, h, c }: Upstream): void {
    const write = (name: Optional, values: Float32Array | undefined): void => {
      this.job.set(name, values ? this.planned[name] : 0)
      if (values) this.job.floats(name, values.length).set(values)
    }
    write('dOutput', output)
    write('dHFinal', h)
    write('dCFinal', c)
  }

  /** Asks for gradients. Memory for the one with respect to the inputs is made when it is first wanted, which is seldom. */
  want({ x = false, initial = false }: WantedGradients): void {
    const { batch, time, inputSize } = this.shape
    if (x) this.inputGradient ??= this.arena.allocate(4 * batch * time * inputSize)
    this.job.set('dX', x ? (this.inputGradient as Block).at : 0)
    this.job.set('dHInitial', initial ? this.planned.dHInitial : 0)
    this.job.set('dCInitial', initial ? this.planned.dCInitial : 0)
  }

  /** `[N, T, H]` */
  get output(): Float32Array {
    return this.job.floats('output', this.shape.time * this.states)
  }

  /** The final state. */
  get final(): { h: Float32Array; c?: Float32Array } {
    const h = this.job.floats('hFinal', this.states)
    return hasCellState(this.shape.cell) ? { h, c: this.job.floats('cFinal', this.states) } : { h }
  }

  /** The gradients that were computed. */
  gradients({ x = false, initial = false }: WantedGradients): RecurrentGradients {
    const { cell, batch, time, inputSize, hiddenSize } = this.shape
    const rows = GATES[cell] * hiddenSize
    const { job } = this
    return {
      weightIh: job.floats('dWeightIh', rows * inputSize),
      weightHh: job.floats('dWeightHh', rows * hiddenSize),
      biasIh: job.floats('dBiasIh', rows),
      biasHh: job.floats('dBiasHh', rows),
      ...(x && { x: job.floats('dX', batch * time * inputSize) }),
      ...(initial && { h: job.floats('dHInitial', this.states) }),
      ...(initial && hasCellState(cell) && { c: job.floats('dCInitial', this.states) }),
    }
  }

  /** Returns the memory. */
  dispose(): void {
    this.job.dispose()
    if (this.inputGradient) this.arena.release(this.inputGradient)
  }
}

function requireIndexable(
  { cell, batch, time, inputSize, hiddenSize }: RecurrentShape,
  { save, slices }: WorkspaceUse,
): void {
  const weights = GATES[cell] * (hiddenSize + 8) * (inputSize + hiddenSize + 16)
  const sequence = batch * time * (inputSize + hiddenSize + (save ? 6 * (hiddenSize + 8) : 0))
  const floats = Math.max(sequence, weights * (save ? slices : 1))
  if (floats < MOST_FLOATS) return
  throw new KernelMemoryError(
    `a pass of batch ${batch}, ${time} steps, ${inputSize} features and ${hiddenSize} hidden units needs more than the 2 GiB of the kernels; use smaller batches`,
  )
}
