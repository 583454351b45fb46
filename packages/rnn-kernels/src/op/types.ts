import type { Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import type { Cell, GateActivation } from '../cell'

/** The weights of one direction of one layer, as PyTorch lays them out. G is 4 for an LSTM (i, f, g, o), 3 for a GRU (r, z, n), 1 for an RNN. */
export interface RecurrentWeightTensors {
  /** float32 `[G·H, I]` */
  weightIh: Tensor2D
  /** float32 `[G·H, H]` */
  weightHh: Tensor2D
  /** float32 `[G·H]`; both biases or none */
  biasIh?: Tensor1D
  /** float32 `[G·H]`; both biases or none */
  biasHh?: Tensor1D
  /**
   * float32 `[P, H]`, of an LSTM: projects h to P features (Sak et al. 2014, `proj_size` of `torch.nn.LSTM`); `weightHh` is `[G·H, P]` then, and
   * TensorFlow.js's operations compute the layer.
   */
  weightHr?: Tensor2D
}

/** Inputs that are rows of a matrix, as an embedding's are. */
export interface LookupInputs {
  /** `[N, T]`, which row each step reads, from 0 to V − 1. */
  tokens: Int32Array
  /** float32 `[V, I]` */
  vectors: Tensor2D
}

/** The state before the first step, each float32 `[N, H]`. */
export interface InitialTensors {
  /** Hidden state. */
  h: Tensor2D
  /** Cell state, of an LSTM. */
  c?: Tensor2D
}

/** How {@link recurrent} computes. */
export interface RecurrentOptions {
  /** The cell. */
  cell: Cell
  /** The activation of the gates of an LSTM or a GRU. @default 'sigmoid' */
  gateActivation?: GateActivation
  /** Read each sequence from its last step to its first. @default false */
  reverse?: boolean
  /** The state before the first step; zeros when absent. */
  initial?: InitialTensors
  /** Steps of each row, `[N]`, each from 1 to T, in any order; all T when absent. */
  lengths?: ArrayLike<number>
  /** Return the hidden states of all steps. @default true */
  returnOutput?: boolean
}

/** What {@link recurrent} computes; the caller disposes the tensors. */
export interface RecurrentOutputs {
  /** `[N, T, H]`, zero past a row's length; absent with `returnOutput: false` */
  output?: Tensor3D
  /** The hidden state after each row's last step, `[N, H]`. */
  h: Tensor2D
  /** The cell state after each row's last step, `[N, H]`; of an LSTM only. */
  c?: Tensor2D
}
