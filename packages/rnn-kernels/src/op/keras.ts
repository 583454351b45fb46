import {
  concat,
  reshape,
  slice,
  split,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core'
import { type Cell, GATES } from '../cell'
import { composedRecurrent } from '../composed/composed'
import { KernelShapeError } from '../errors'
import { isHigherOrder } from './higher-order'
import { type CheckedInputs, checkPass, checkTensors, requireTensor } from './inputs'
import { gateOrder } from './keras-layout'
import { canFuse, runRecurrent } from './recurrent'
import type { RecurrentOptions, RecurrentOutputs, RecurrentWeightTensors } from './types'

/**
 * The weights of one direction of one layer, as Keras lays them out. The gates are i, f, c, o of an LSTM, and z, r, h
 * of a GRU.
 */
export interface KerasWeightTensors {
  /** float32 `[I, G·H]` */
  kernel: Tensor2D
  /** float32 `[H, G·H]` */
  recurrentKernel: Tensor2D
  /** float32 `[G·H]`; `[2, 3·H]` of the cell `gru`, Keras's `reset_after=True`: of the inputs, and of the state */
  bias?: Tensor1D | Tensor2D
}

/**
 * {@link recurrent} with the weights of `keras.layers.LSTM`, `GRU` and `SimpleRNN`, differentiable with respect to
 * them. They are read where they are, and brought into PyTorch's layout only when their values have changed.
 *
 * @param inputs float32 `[N, T, I]`
 * @param weights as Keras lays them out
 * @returns tensors that the caller disposes
 * @throws as {@link recurrent}.
 * @example
 * ```ts
 * const weights = { kernel, recurrentKernel, bias }
 * const { h } = kerasRecurrent(inputs, weights, { cell: 'lstm', gateActivation: 'hard_sigmoid', returnOutput: false })
 * ```
 */
export function kerasRecurrent(
  inputs: Tensor3D,
  weights: KerasWeightTensors,
  options: RecurrentOptions,
): RecurrentOutputs {
  const attributes = checkPass('kerasRecurrent', 'keras', inputs, weights, options, checkShapes)
  if (!canFuse() || isHigherOrder()) return composedRecurrent(inputs, weightsOfPyTorch(options.cell, weights), options)
  const { kernel, recurrentKernel, bias } = weights
  return runRecurrent(
    inputs,
    { weightIh: kernel, weightHh: recurrentKernel, biasIh: bias },
    attributes,
    options.initial,
  )
}

function checkShapes(
  x: CheckedInputs,
  { kernel, recurrentKernel, bias }: KerasWeightTensors,
  { cell, initial }: RecurrentOptions,
): void {
  requireTensor('kernel', kernel)
  requireTensor('recurrentKernel', recurrentKernel)
  if (x.shape.length !== 3 || x.dtype !== 'float32' || !(x.size > 0))
    throw new KernelShapeError(`inputs is ${x.dtype} [${x.shape}], expected float32 [N, T, I], none of them 0`)
  const [batch, , inputSize] = x.shape
  const [hiddenSize] = recurrentKernel.shape
  if (recurrentKernel.shape.length !== 2 || !(hiddenSize > 0))
    throw new KernelShapeError(`recurrentKernel is [${recurrentKernel.shape}], expected [H, G·H], none of them 0`)
  const columns = GATES[cell] * hiddenSize
  checkTensors(`inputs [${x.shape}] and ${cell} of ${hiddenSize} hidden units`, {
    kernel: [kernel, inputSize, columns],
    recurrentKernel: [recurrentKernel, hiddenSize, columns],
    bias: [bias, ...(cell === 'gru' ? [2, columns] : [columns])],
    'initial.h': [initial?.h, batch, hiddenSize],
    'initial.c': [initial?.c, batch, hiddenSize],
  })
}

/** The same as operations of TensorFlow.js, for a backend without kernels. */
function weightsOfPyTorch(cell: Cell, { kernel, recurrentKernel, bias }: KerasWeightTensors): RecurrentWeightTensors {
  const order = gateOrder(cell)
  const matrix = (weight: Tensor2D): Tensor2D => {
    const gates = split(weight, order.length, 1)
    return transpose(
      concat(
        order.map((place) => gates[place]),
        1,
      ),
    ) as Tensor2D
  }
  const vector = (weight: Tensor): Tensor1D => {
    const gates = split(reshape(weight, [-1]) as Tensor1D, order.length)
    return concat(order.map((place) => gates[place])) as Tensor1D
  }
  const columns = kernel.shape[1]
  const row = (at: number): Tensor => slice(bias as Tensor2D, [at, 0], [1, columns])
  return {
    weightIh: matrix(kernel),
    weightHh: matrix(recurrentKernel),
    ...(bias && {
      biasIh: vector(cell === 'gru' ? row(0) : bias),
      biasHh: cell === 'gru' ? vector(row(1)) : zeros([columns]),
    }),
  }
}
