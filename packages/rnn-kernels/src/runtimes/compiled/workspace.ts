import { GATES, hasCellState } from '../../cell'
import type { RecurrentGradients, RecurrentShape, Upstream, WantedGradients } from '../../runtime'
import { cellIndex } from './cell-index'
import type { ArrayField, Job, Machine, WorkspaceUse } from './machine'

const SIZES = ['batch', 'time', 'inputSize', 'hiddenSize', 'reverse'] as const
const USES = ['save', 'wantsOutput', 'hasInitial', 'hasLengths', 'vocabulary', 'slices', 'shares', 'threads'] as const

/** Bits of a job's `gradients`, as in kernels/job.h. */
const D_OUTPUT = 1
const D_H_FINAL = 2
const D_C_FINAL = 4
const D_X = 8
const D_INITIAL = 16

/** Memory for one pass: a job, its inputs and outputs, and what the backward pass needs. Laid out once per shape. */
export class Workspace {
  readonly job: Job
  /** Floats of `[N, H]`. */
  private readonly states: number

  constructor(
    machine: Machine,
    readonly shape: RecurrentShape,
    readonly use: WorkspaceUse,
  ) {
    this.states = shape.batch * shape.hiddenSize
    const sizes = Object.fromEntries(SIZES.map((name) => [name, shape[name]]))
    this.job = machine.newJob('pass', { cell: cellIndex(shape), ...sizes, ...use })
  }

  /** Whether a pass of this shape can use it. */
  fits(shape: RecurrentShape, use: WorkspaceUse): boolean {
    const mine = this.shape
    if (mine.cell !== shape.cell || mine.gateActivation !== shape.gateActivation) return false
    return SIZES.every((name) => mine[name] === shape[name]) && USES.every((name) => this.use[name] === use[name])
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

  /** Copies in which rows of a table the steps read. */
  writeTokens(tokens: Int32Array): void {
    this.job.integers('tokens', tokens.length).set(tokens)
  }

  /** Copies the initial state in. */
  writeInitial({ h, c }: { h: Float32Array; c?: Float32Array }): void {
    this.job.floats('hInitial', this.states).set(h)
    if (!hasCellState(this.shape.cell)) return
    const cells = this.job.floats('cInitial', this.states)
    if (c) cells.set(c)
    else cells.fill(0)
  }

  /** Copies the upstream gradients of the states in, and asks for others. */
  writeUpstream({ output, h, c }: Upstream, { x = false, initial = false }: WantedGradients): void {
    const write = (bit: number, name: ArrayField, values: Float32Array | undefined): number => {
      if (values) this.job.floats(name, values.length).set(values)
      return values ? bit : 0
    }
    const given = (output ? D_OUTPUT : 0) | write(D_H_FINAL, 'dHFinal', h) | write(D_C_FINAL, 'dCFinal', c)
    this.job.set('gradients', given | (x ? D_X : 0) | (initial ? D_INITIAL : 0))
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

  /** The table of a lookup, `[V, G·H]`, or the gradient with respect to it. */
  table(name: 'table' | 'dTable'): Float32Array {
    const { cell, hiddenSize } = this.shape
    return this.job.floats(name, this.use.vocabulary * GATES[cell] * hiddenSize)
  }

  /** The gradients that were computed. */
  gradients({ x, initial }: WantedGradients): RecurrentGradients {
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
  }
}
