import { canFuse, fusedFinalHidden, fusedLSTM } from '@rowwise/lstm-kernels'
import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { composedLSTM } from './composed-lstm'

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
 * Where tensors lie in this process's memory (the wasm and the cpu backend) the fused kernels of `@rowwise/lstm-kernels`
 * compute it; elsewhere a graph of TensorFlow.js operations does.
 *
 * @param inputs float32 `[N, T, I]`
 * @example
 * ```ts
 * const { h } = lstm(inputs, { weightIh, weightHh }, { returnOutput: false }) // [N, H]
 * ```
 */
export function lstm(inputs: Tensor3D, weights: LSTMLayerWeights, options: LSTMLayerOptions = {}): LSTMLayerOutputs {
  return canFuse() ? fusedLSTM(inputs, weights, options) : composedLSTM(inputs, weights, options)
}

/** The hidden state of {@link lstm} after the last step, `[N, H]`, without the rest. */
export function finalHidden(
  inputs: Tensor3D,
  weights: LSTMLayerWeights,
  options: Pick<LSTMLayerOptions, 'reverse'> = {},
): Tensor2D {
  if (canFuse()) return fusedFinalHidden(inputs, weights, options)
  return composedLSTM(inputs, weights, { ...options, returnOutput: false }).h
}
