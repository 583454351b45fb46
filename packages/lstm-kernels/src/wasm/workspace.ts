import type { LSTMShape } from '../engine'
import * as field from '../job-fields'
import type { Arena, Block } from './arena'
import { ceil4, ceil8, layOut } from './layout'
import type { PackedWeights } from './weights-cache'

/** What decides how a workspace is laid out, beside the shape of the work. */
export interface WorkspaceUse {
  save: boolean
  returnOutput: boolean
  hasInitial: boolean
  slices: number
}

type WorkspaceShape = LSTMShape & WorkspaceUse

type Name = keyof ReturnType<typeof sizesOf>

/** Memory for one pass: a job, its inputs and outputs, and what the backward pass needs. Laid out once per shape. */
export class Workspace {
  readonly block: Block
  readonly job: number
  private readonly words: Int32Array
  private readonly sizes: ReturnType<typeof sizesOf>
  private readonly addresses: ReturnType<typeof sizesOf>
  private readonly views: Partial<Record<Name, Float32Array>> = {}
  private inputGradientBlock: Block | null = null

  constructor(
    private readonly arena: Arena,
    readonly shape: WorkspaceShape,
  ) {
    const sizes = sizesOf(shape)
    const { addresses, bytes } = layOut(sizes)
    this.block = arena.allocate(bytes)
    for (const name of Object.keys(addresses) as (keyof typeof sizes)[]) {
      addresses[name] = sizes[name] === 0 ? 0 : addresses[name] + this.block.at
    }
    this.sizes = sizes
    this.addresses = addresses
    this.job = addresses.job
    // Shared memory stays where it is when it grows.
    this.words = new Int32Array(arena.memory.buffer, this.job, field.JOB_WORDS)
    this.writeShape()
  }

  /** Whether a pass of this shape can use it. */
  fits(shape: LSTMShape, use: WorkspaceUse): boolean {
    const mine = this.shape
    return (
      mine.batch === shape.batch &&
      mine.time === shape.time &&
      mine.inputSize === shape.inputSize &&
      mine.hiddenSize === shape.hiddenSize &&
      mine.slices === use.slices &&
      mine.save === use.save &&
      mine.reverse === shape.reverse &&
      mine.returnOutput === use.returnOutput &&
      mine.hasInitial === use.hasInitial
    )
  }

  /** Copies the inputs of rows begin … end − 1 in. */
  writeRows(x: Float32Array, begin: number, end: number): void {
    const row = this.shape.time * this.shape.inputSize
    this.view('x').set(x.subarray(begin * row, end * row), begin * row)
  }

  /** Copies a gradient in, or says that there is none. */
  writeUpstream(name: 'dOutput' | 'dHFinal' | 'dCFinal', values: Float32Array | undefined): void {
    const index = { dOutput: field.D_OUTPUT, dHFinal: field.D_H_FINAL, dCFinal: field.D_C_FINAL }[name]
    this.word(index, values === undefined ? 0 : this.addresses[name])
    if (values) this.view(name).set(values)
  }

  /** An array where it lies. */
  view(name: Name): Float32Array {
    this.views[name] ??= this.floats(this.addresses[name], this.sizes[name])
    return this.views[name]
  }

  /** Points the job at weights. */
  useWeights(weights: PackedWeights): void {
    this.word(field.WEIGHTS, weights.forward)
    this.word(field.BIAS, weights.bias)
    this.word(field.WEIGHTS_HH_T, weights.hhTransposed)
    this.word(field.WEIGHTS_IH_T, weights.ihTransposed)
  }

  /** Points the job at the room for weight gradients. */
  collectIntoGradients(): void {
    this.word(field.RAW_WEIGHT_IH, this.addresses.dWeightIh)
    this.word(field.RAW_WEIGHT_HH, this.addresses.dWeightHh)
    this.word(field.RAW_BIAS_IH, this.addresses.dBias)
  }

  /** Makes room for the gradient by the inputs where it is wanted, which is seldom. */
  wantInputGradient(wanted: boolean): void {
    const { batch, time, inputSize } = this.shape
    if (wanted) this.inputGradientBlock ??= this.arena.allocate(4 * batch * time * inputSize)
    this.word(field.D_X, wanted ? (this.inputGradientBlock as Block).at : 0)
  }

  /** Asks for the gradients by the initial state, or not. */
  wantInitialGradients(wanted: boolean): void {
    this.word(field.D_H_INITIAL, wanted ? this.addresses.dHInitial : 0)
    this.word(field.D_C_INITIAL, wanted ? this.addresses.dCInitial : 0)
  }

  /** The gradient by the inputs where it lies. */
  viewInputGradient(): Float32Array {
    const { batch, time, inputSize } = this.shape
    return this.floats((this.inputGradientBlock as Block).at, batch * time * inputSize)
  }

  /** Gives the memory back. */
  dispose(): void {
    this.arena.release(this.block)
    if (this.inputGradientBlock) this.arena.release(this.inputGradientBlock)
  }

  private writeShape(): void {
    const { shape, addresses: at } = this
    const { batch, time, inputSize, hiddenSize, reverse, save, slices } = shape
    const words: [number, number][] = [
      [field.BATCH, batch],
      [field.TIME, time],
      [field.INPUT, inputSize],
      [field.HIDDEN, hiddenSize],
      [field.REVERSE, Number(reverse)],
      [field.SAVE, Number(save)],
      [field.X, at.x],
      [field.Z, at.z],
      [field.GATES, at.gates],
      [field.CELLS, at.cells],
      [field.OUTPUT, at.output],
      [field.H_FINAL, at.hFinal],
      [field.C_FINAL, at.cFinal],
      [field.H_INITIAL, at.hInitial],
      [field.C_INITIAL, at.cInitial],
      [field.D_CELLS, at.dCells],
      [field.D_WEIGHTS, at.dWeights],
      [field.D_WEIGHTS_STRIDE, 4 * sliceFloats(shape)],
      [field.SLICES, slices],
      [field.D_GATES, at.dGates],
    ]
    for (const [index, value] of words) this.word(index, value)
  }

  private word(index: number, value: number): void {
    this.words[index] = value
  }

  private floats(at: number, count: number): Float32Array {
    return this.arena.floats.subarray(at >> 2, (at >> 2) + count)
  }
}

/** Floats of one slice's partial weight gradients. */
function sliceFloats({ inputSize, hiddenSize }: LSTMShape): number {
  return 4 * ceil8(hiddenSize) * (ceil4(inputSize) + ceil8(hiddenSize) + 2)
}

/** Floats of every array in a workspace; 0 for those that a pass of this kind does not need. */
function sizesOf(shape: WorkspaceShape) {
  const { batch, time, inputSize, hiddenSize, save, returnOutput, hasInitial, slices } = shape
  const units = ceil8(hiddenSize)
  const states = batch * hiddenSize
  const onlyIf = (wanted: boolean, floats: number): number => (wanted ? floats : 0)
  return {
    job: field.JOB_WORDS,
    x: batch * time * inputSize,
    z: (save ? time + 1 : 2) * batch * (ceil4(inputSize) + units),
    gates: onlyIf(save, time * batch * (units / 8) * (field.KEPT / 4)),
    cells: batch * units,
    output: onlyIf(returnOutput, time * states),
    hFinal: states,
    cFinal: states,
    hInitial: onlyIf(hasInitial, states),
    cInitial: onlyIf(hasInitial, states),
    dOutput: onlyIf(save && returnOutput, time * states),
    dHFinal: onlyIf(save, states),
    dCFinal: onlyIf(save, states),
    dCells: onlyIf(save, batch * units),
    dGates: onlyIf(save, slices * field.SUMMED_ROWS * (4 * units + field.GATE_PITCH_PADDING)),
    dWeights: onlyIf(save, slices * sliceFloats(shape)),
    dHInitial: onlyIf(save && hasInitial, states),
    dCInitial: onlyIf(save && hasInitial, states),
    dWeightIh: onlyIf(save, 4 * hiddenSize * inputSize),
    dWeightHh: onlyIf(save, 4 * hiddenSize * hiddenSize),
    dBias: onlyIf(save, 4 * hiddenSize),
  }
}
