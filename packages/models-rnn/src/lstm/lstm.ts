import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { recurrent } from '@rowwise/rnn-kernels'
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { requireShape, requireTensor, requireTensors } from '../check-tensor'
import { bringToCurrentBackend } from '../current-backend'
import { ModuleOptionError, ShapeError } from '../errors'

/** The weights of one direction of one layer; gates in the order i, f, g, o along the first axis. */
export interface LSTMLayerWeights {
  /** float32 `[4·H, I]` */
  weightIh: Tensor2D
  /** float32 `[4·H, H]` */
  weightHh: Tensor2D
  /** float32 `[4·H]`; both biases or none */
  biasIh?: Tensor1D
  /** float32 `[4·H]`; both biases or none */
  biasHh?: Tensor1D
}

/** What {@link lstm} starts from and hands back. */
export interface LSTMLayerOptions {
  /** Read the sequence from its last step to its first. @default false */
  reverse?: boolean
  /** Hidden and cell state before the first step, each `[N, H]`; zeros when absent. */
  initial?: {
    /** Hidden state. */
    h: Tensor2D
    /** Cell state. */
    c: Tensor2D
  }
  /** Hand back the hidden states of all steps, not only the final one. @default true */
  returnOutput?: boolean
}

/** What one direction of one layer computes; the caller disposes the tensors. */
export interface LSTMLayerOutputs {
  /** The hidden state of every step, `[N, T, H]`, in the order of the inputs; absent unless `returnOutput`. */
  output?: Tensor3D
  /** The hidden state after the last step taken, `[N, H]`. */
  h: Tensor2D
  /** The cell state after the last step taken, `[N, H]`. */
  c: Tensor2D
}

/**
 * One direction of one LSTM layer: every LSTM of this package goes through here. Differentiable.
 *
 * Where tensors lie in this process's memory (the wasm and the cpu backend) the fused kernels of `@rowwise/rnn-kernels`
 * compute it; elsewhere a graph of TensorFlow.js operations does.
 *
 * @param inputs float32 `[N, T, I]`
 * @throws {@link TensorError} when an argument is not a live float32 tensor, {@link ShapeError} when a shape does not fit,
 * {@link ModuleOptionError} for an unknown option.
 * @example
 * ```ts
 * const { h } = lstm(inputs, { weightIh, weightHh }, { returnOutput: false }) // [N, H]
 * ```
 */
export function lstm(inputs: Tensor3D, weights: LSTMLayerWeights, options: LSTMLayerOptions = {}): LSTMLayerOutputs {
  refuseUnknownOptions('lstm', options, LAYER_OPTIONS, ModuleOptionError)
  checkTensors(inputs, weights, options.initial)
  bringToCurrentBackend('inputs', inputs)
  for (const [name, weight] of Object.entries(weights)) bringToCurrentBackend(`weights.${name}`, weight)
  bringToCurrentBackend('initial.h', options.initial?.h)
  bringToCurrentBackend('initial.c', options.initial?.c)
  return runLSTM(inputs, weights, options)
}

/** {@link lstm} of arguments that are known to fit. */
export function runLSTM(inputs: Tensor3D, weights: LSTMLayerWeights, options: LSTMLayerOptions): LSTMLayerOutputs {
  const { output, h, c } = recurrent(inputs, weights, { cell: 'lstm', ...options })
  return { ...(output && { output }), h, c: c as Tensor2D }
}

const LAYER_OPTIONS: OptionNames<LSTMLayerOptions> = { reverse: true, initial: true, returnOutput: true }
const WEIGHTS: OptionNames<LSTMLayerWeights> = { weightIh: true, weightHh: true, biasIh: true, biasHh: true }

function checkTensors(inputs: Tensor3D, weights: LSTMLayerWeights, initial: LSTMLayerOptions['initial']): void {
  requireTensor('inputs', inputs)
  if (inputs.shape.length !== 3 || inputs.size === 0) {
    throw new ShapeError(`inputs has shape [${inputs.shape}], lstm expects [batch, time, features], none of them 0`)
  }
  requireTensors('weights', weights, '{ weightIh, weightHh, biasIh?, biasHh? }')
  refuseUnknownOptions('weights', weights, WEIGHTS, ModuleOptionError)
  const { weightIh, weightHh, biasIh, biasHh } = weights
  requireTensor('weights.weightHh', weightHh)
  const [gates, hiddenSize] = weightHh.shape
  requireShape('weights.weightHh', weightHh, [4 * hiddenSize, hiddenSize], '[4·H, H]')
  requireTensor('weights.weightIh', weightIh)
  requireShape('weights.weightIh', weightIh, [gates, inputs.shape[2]], '[4·H, features]')
  if (biasIh !== undefined || biasHh !== undefined) {
    for (const [name, bias] of Object.entries({ 'weights.biasIh': biasIh, 'weights.biasHh': biasHh })) {
      requireTensor(name, bias)
      requireShape(name, bias, [gates], '[4·H], for both biases or none')
    }
  }
  if (initial === undefined) return
  requireTensors('initial', initial, '{ h, c }')
  refuseUnknownOptions('initial', initial, { h: true, c: true }, ModuleOptionError)
  for (const name of ['h', 'c'] as const) {
    requireTensor(`initial.${name}`, initial[name])
    requireShape(`initial.${name}`, initial[name], [inputs.shape[0], hiddenSize], '[batch, H]')
  }
}

/** The hidden state of {@link lstm} after the last step, `[N, H]`, without the rest. */
export function finalHidden(
  inputs: Tensor3D,
  weights: LSTMLayerWeights,
  options: Pick<LSTMLayerOptions, 'reverse'> = {},
): Tensor2D {
  const { h, c } = recurrent(inputs, weights, { cell: 'lstm', ...options, returnOutput: false })
  c?.dispose()
  return h
}
