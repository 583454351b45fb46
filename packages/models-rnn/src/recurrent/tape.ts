import { type RecurrentWeightTensors, recurrent } from '@rowwise/rnn-kernels'
import { concat, expandDims, type Tensor, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { dropout } from '../layers/dropout'
import { takeLast } from '../layers/steps'
import type { DirectionState, Machine } from './compose'

/** Computes with tensors; differentiated by TensorFlow.js's tape. */
export const TAPE: Machine<Tensor> = {
  run: (inputs, { weights }, options) =>
    recurrent(inputs as Tensor3D, weights as unknown as RecurrentWeightTensors, {
      ...options,
      initial: options.initial as DirectionState<Tensor2D> | undefined,
    }),
  join: (values) => (values.length > 1 ? concat(values, -1) : values[0]),
  drop: dropout,
  lastStep: (inputs, lengths) => expandDims(takeLast(inputs as Tensor3D, lengths), 1),
}
