import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import { type Cell, GATES, type GateActivation, hasCellState, hasGates } from '../cell'
import { KernelLengthsError, KernelOptionError, KernelShapeError } from '../errors'
import type { RecurrentShape } from '../runtime'
import type { InitialTensors, RecurrentOptions, RecurrentWeightTensors } from './types'

/** What a pass reads, by the names that TensorFlow.js's tape knows. */
export type PassInputs<T extends TensorInfo = TensorInfo> = Record<'weightIh' | 'weightHh', T> &
  Partial<Record<'x' | 'h0' | 'c0' | 'biasIh' | 'biasHh', T>>

/** The inputs of a pass as far as they are checked: a tensor, or values that were none yet. */
export type CheckedInputs = Pick<Tensor, 'dtype' | 'size'> & { shape: readonly number[]; isDisposed?: boolean }

/** What is known of a pass beside its tensors. */
export interface PassAttributes {
  cell: Cell
  gateActivation: GateActivation
  reverse: boolean
  lengths: Int32Array | undefined
  returnOutput: boolean
  layout: WeightLayout
}

/** Whose layout the weights have. Keras's only bias is `biasIh`. */
export type WeightLayout = 'pytorch' | 'keras'

/**
 * The tensors of a pass. TensorFlow.js asks for gradients in their order: those that cost something come first, so a
 * pass that is asked for another knows that they are not wanted.
 */
export function passInputs(
  x: Tensor | undefined,
  {
    weightIh,
    weightHh,
    biasIh,
    biasHh,
  }: { [name in 'weightIh' | 'weightHh']: Tensor } & {
    [name in 'biasIh' | 'biasHh']?: Tensor
  },
  initial?: InitialTensors,
): PassInputs<Tensor> {
  const inputs = {} as PassInputs<Tensor>
  if (x) inputs.x = x
  if (initial) inputs.h0 = initial.h
  if (initial?.c) inputs.c0 = initial.c
  inputs.weightIh = weightIh
  inputs.weightHh = weightHh
  if (biasIh) inputs.biasIh = biasIh
  if (biasHh) inputs.biasHh = biasHh
  return inputs
}

/** The shape of a pass. */
export function shapeOf(
  x: readonly number[],
  weightHh: readonly number[],
  { cell, gateActivation, reverse, layout }: Omit<PassAttributes, 'lengths' | 'returnOutput'>,
): RecurrentShape {
  const [batch, time, inputSize] = x
  return { cell, gateActivation, batch, time, inputSize, hiddenSize: hiddenSizeOf(weightHh, layout), reverse }
}

/** H, from the shape of the recurrent weights. */
export function hiddenSizeOf(weightHh: readonly number[], layout: WeightLayout): number {
  return weightHh[layout === 'keras' ? 0 : 1]
}

/**
 * The attributes of a pass, after everything was checked: nothing of another size may reach the kernels' memory.
 *
 * @param checkShapes refuses tensors that do not fit, in the layout
 * @throws KernelOptionError for an unknown option, cell or activation, KernelShapeError, KernelLengthsError
 */
export function checkPass<Weights extends object>(
  owner: string,
  layout: WeightLayout,
  x: CheckedInputs,
  weights: Weights,
  options: RecurrentOptions,
  checkShapes: (x: CheckedInputs, weights: Weights, options: RecurrentOptions) => void,
): PassAttributes {
  refuseUnknownOptions(owner, options, OPTIONS, KernelOptionError)
  checkCell(options)
  const { cell, gateActivation = 'sigmoid', reverse = false, initial, returnOutput = true } = options
  requireTensor('inputs', x)
  if (typeof weights !== 'object' || weights === null)
    throw new KernelShapeError(`the weights are ${String(weights)}, expected an object of tensors`)
  if (initial !== undefined) requireTensor('initial.h', initial?.h)
  checkShapes(x, weights, options)
  for (const [name, value] of Object.entries({ reverse, returnOutput })) {
    if (typeof value !== 'boolean') throw new KernelOptionError(`${name} is ${String(value)}, expected true or false`)
  }
  if (initial?.c && !hasCellState(cell))
    throw new KernelShapeError(`initial.c is given, but ${cell} has no cell state; leave it out`)
  const lengths = options.lengths === undefined ? undefined : checkLengths(options.lengths, x.shape[0], x.shape[1])
  return { cell, gateActivation, reverse, lengths, returnOutput, layout }
}

const OPTIONS: OptionNames<RecurrentOptions> = {
  ...{ cell: true, gateActivation: true, reverse: true, initial: true, lengths: true, returnOutput: true },
}

function checkCell({ cell, gateActivation = 'sigmoid' }: RecurrentOptions): void {
  if (!Object.hasOwn(GATES, cell)) {
    throw new KernelOptionError(`cell is '${cell}', expected one of ${Object.keys(GATES).join(', ')}`)
  }
  if (gateActivation !== 'sigmoid' && gateActivation !== 'hard_sigmoid') {
    throw new KernelOptionError(`gateActivation is '${gateActivation}', expected 'sigmoid' or 'hard_sigmoid'`)
  }
  if (gateActivation === 'hard_sigmoid' && !hasGates(cell)) {
    throw new KernelOptionError(`gateActivation is 'hard_sigmoid', but ${cell} has no gates; leave it out`)
  }
}

/** Refuses tensors that do not fit. With a projection the hidden state has P features, else H. */
export function checkShapes(
  x: CheckedInputs,
  { weightIh, weightHh, biasIh, biasHh, weightHr }: RecurrentWeightTensors,
  { cell, initial }: RecurrentOptions,
): void {
  requireTensor('weightIh', weightIh)
  requireTensor('weightHh', weightHh)
  if (weightHr !== undefined) requireTensor('weightHr', weightHr)
  const [batch, , inputSize] = x.shape
  const gates = GATES[cell]
  const projSize = weightHh.shape[1]
  const hiddenSize = weightHr === undefined ? projSize : weightHh.shape[0] / gates
  if (weightHr !== undefined && !hasCellState(cell))
    throw new KernelShapeError(`weightHr is given, but only an lstm has projections, ${cell} has none; leave it out`)
  if (x.shape.length !== 3 || x.dtype !== 'float32' || !(x.size > 0) || !(projSize > 0)) {
    throw new KernelShapeError(
      `inputs is ${x.dtype} [${x.shape}], weightHh [${weightHh.shape}]; expected float32 [N, T, I], none of them 0, and [${gates}·H, H] for ${cell}`,
    )
  }
  if ((biasIh === undefined) !== (biasHh === undefined))
    throw new KernelShapeError('one bias without the other; pass both or none')
  const rows = gates * hiddenSize
  checkTensors(`inputs [${x.shape}] and ${cell} of ${hiddenSize} hidden units`, {
    weightIh: [weightIh, rows, inputSize],
    weightHh: [weightHh, rows, projSize],
    biasIh: [biasIh, rows],
    biasHh: [biasHh, rows],
    weightHr: [weightHr, projSize, hiddenSize],
    'initial.h': [initial?.h, batch, projSize],
    'initial.c': [initial?.c, batch, hiddenSize],
  })
}

/** Refuses tensors, as far as they are given, that are not float32 of their shape. @throws KernelShapeError */
export function checkTensors(
  where: string,
  expected: Record<string, readonly [tensor: CheckedInputs | undefined, ...shape: number[]]>,
): void {
  for (const [name, [tensor, ...shape]] of Object.entries(expected)) {
    if (tensor === undefined) continue
    requireTensor(name, tensor)
    if (tensor.dtype === 'float32' && tensor.shape.join() === shape.join()) continue
    throw new KernelShapeError(`${name} is ${tensor.dtype} [${tensor.shape}], expected float32 [${shape}] for ${where}`)
  }
}

/** Refuses what is not a living tensor. @throws KernelShapeError */
export function requireTensor(name: string, tensor: CheckedInputs | undefined): void {
  if (!Array.isArray(tensor?.shape))
    throw new KernelShapeError(`${name} is ${tensor === null ? 'null' : typeof tensor}, expected a tensor`)
  if (tensor.isDisposed) throw new KernelShapeError(`${name} is a disposed tensor, expected a living one`)
}

function checkLengths(lengths: ArrayLike<number>, batch: number, time: number): Int32Array {
  if (typeof lengths?.length !== 'number') {
    throw new KernelLengthsError(`lengths is ${String(lengths)}, expected the steps of each of ${batch} rows`)
  }
  if (lengths.length !== batch) {
    throw new KernelLengthsError(`lengths has ${lengths.length} entries, expected one for each of ${batch} rows`)
  }
  for (let row = 0; row < batch; row++) {
    const length = lengths[row]
    if (Number.isInteger(length) && length >= 1 && length <= time) continue
    throw new KernelLengthsError(
      `lengths[${row}] is ${length}, expected an integer from 1 to ${time}, the steps of inputs`,
    )
  }
  return Int32Array.from(lengths)
}
