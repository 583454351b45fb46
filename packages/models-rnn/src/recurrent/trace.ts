import { copiedTensor, readValues } from '@rowwise/host-values'
import {
  type LookupInputs,
  type RecurrentPass,
  type RecurrentWeights,
  type RecurrentWeightTensors,
  recurrentPass,
} from '@rowwise/rnn-kernels'
import type { Generator } from '@rowwise/torch-random'
import { Tensor, type Tensor3D } from '@tensorflow/tfjs-core'
import { dropoutMask } from '../layers/dropout'
import type { Direction, DirectionOptions, Machine } from './compose'

/** Values of a shape, and after the pullback the gradient with respect to them. */
export class Traced {
  gradient: Float32Array | undefined

  constructor(
    /** The values, or a tensor of them, which the kernels read where they are; or which rows of a matrix they are. */
    readonly source: Float32Array | Tensor3D | LookupInputs,
    readonly shape: readonly number[],
    /** Whether the gradient is wanted. */
    readonly isWanted = true,
  ) {}

  /** Not of a lookup, which the kernels alone read; the gradient is by its vectors. */
  get values(): Float32Array {
    return this.source instanceof Tensor ? readValues(this.source) : (this.source as Float32Array)
  }

  /** Adds to the gradient; the array is kept where it is the first, and may be a view that nobody changes. */
  receive(gradient: Float32Array): void {
    const before = this.gradient
    this.gradient = before === undefined ? gradient : before.map((value, at) => value + gradient[at])
  }
}

/**
 * Computes with arrays, and records their pullbacks: what one recurrent layer passes to the next stays in the kernels' memory.
 */
export class Trace implements Machine<Traced> {
  private readonly passes: RecurrentPass[] = []
  private readonly back: (() => void)[] = []
  private readonly found = new Map<string, Tensor | undefined>()

  run(
    inputs: Traced,
    direction: Direction,
    { cell, gateActivation, reverse, lengths, returnOutput }: DirectionOptions<Traced>,
  ): { output?: Traced; h: Traced } {
    const [batch, time, inputSize] = inputs.shape
    const weights = direction.weights as unknown as RecurrentWeightTensors
    const options = { cell, gateActivation, reverse, lengths, returnOutput }
    const pass = recurrentPass(inputs.source, [batch, time, inputSize], weights, options)
    this.passes.push(pass)
    const trained = direction.named.filter(({ weight }) => weight.trainable)
    for (const { name } of trained) this.found.set(name, undefined) // in the order of the parameters
    const hiddenSize = weights.weightHh.shape[1]
    const h = new Traced(pass.h, [batch, hiddenSize])
    const output = pass.output && new Traced(pass.output, [batch, time, hiddenSize])
    this.back.push(() => {
      const gradients = pass.pullback({ h: h.gradient, output: output?.gradient }, { x: inputs.isWanted })
      for (const { key, name, weight } of trained)
        this.found.set(name, copiedTensor(gradients[key as keyof RecurrentWeights], weight.shape))
      if (gradients.x) inputs.receive(gradients.x)
    })
    return { h, ...(output && { output }) }
  }

  join(values: Traced[]): Traced {
    if (values.length === 1) return values[0]
    const widths = values.map(({ shape }) => shape[shape.length - 1])
    const width = widths.reduce((sum, size) => sum + size, 0)
    const [{ shape }] = values
    const rows = sizeOf(values[0]) / widths[0]
    const sideBySide = new Float32Array(rows * width)
    const joined = new Traced(sideBySide, [...shape.slice(0, -1), width])
    /** Calls with each part and where its columns begin. */
    const forParts = (each: (part: Traced, size: number, begin: number) => void): void => {
      let begin = 0
      values.forEach((part, side) => {
        each(part, widths[side], begin)
        begin += widths[side]
      })
    }
    forParts((part, size, begin) => copyColumns(rows, size, part.values, 0, size, sideBySide, begin, width))
    this.back.push(() =>
      forParts((part, size, begin) => {
        const gradient = new Float32Array(rows * size)
        copyColumns(rows, size, joined.gradient as Float32Array, begin, width, gradient, 0, size)
        part.receive(gradient)
      }),
    )
    return joined
  }

  drop(inputs: Traced, p: number, generator: Generator): Traced {
    const mask = dropoutMask(sizeOf(inputs), p, generator)
    const { values } = inputs
    const dropped = new Traced(
      mask.map((factor, at) => factor * values[at]),
      inputs.shape,
    )
    this.back.push(() => inputs.receive(mask.map((factor, at) => factor * (dropped.gradient as Float32Array)[at])))
    return dropped
  }

  lastStep(inputs: Traced, lengths: Int32Array | undefined): Traced {
    const [batch, time, features] = inputs.shape
    const stepOf = (row: number): number => row * time + (lengths?.[row] ?? time) - 1
    if ('tokens' in inputs.source) {
      const { tokens, vectors } = inputs.source
      const lastTokens = Int32Array.from({ length: batch }, (_, row) => tokens[stepOf(row)])
      const last = new Traced({ tokens: lastTokens, vectors }, [batch, 1, features], inputs.isWanted)
      this.back.push(() => {
        if (last.gradient) inputs.receive(last.gradient)
      })
      return last
    }
    const begin = (row: number): number => stepOf(row) * features
    const [values, picked] = [inputs.values, new Float32Array(batch * features)]
    for (let row = 0; row < batch; row++) picked.set(values.subarray(begin(row), begin(row) + features), row * features)
    const last = new Traced(picked, [batch, 1, features], inputs.isWanted)
    this.back.push(() => {
      const { gradient } = last
      if (gradient === undefined) return
      const all = new Float32Array(sizeOf(inputs))
      for (let row = 0; row < batch; row++) {
        all.set(gradient.subarray(row * features, (row + 1) * features), begin(row))
      }
      inputs.receive(all)
    })
    return last
  }

  /** Takes the gradients from the last value to the first, once; those by the trainable parameters, by name. */
  pullBack(): Map<string, Tensor> {
    for (let step = this.back.length - 1; step >= 0; step--) this.back[step]()
    return this.found as Map<string, Tensor>
  }

  /** Gives the kernels' memory back. */
  release(): void {
    for (const pass of this.passes) pass.release()
  }
}

function sizeOf({ shape }: Traced): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** Copies columns of a matrix to columns of another. */
function copyColumns(
  rows: number,
  columns: number,
  from: Float32Array,
  fromColumn: number,
  fromWidth: number,
  to: Float32Array,
  toColumn: number,
  toWidth: number,
): void {
  for (let row = 0; row < rows; row++) {
    const begin = row * fromWidth + fromColumn
    to.set(from.subarray(begin, begin + columns), row * toWidth + toColumn)
  }
}
