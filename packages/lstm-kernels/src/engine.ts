/** The shape of one layer's work in one direction. */
export interface LSTMShape {
  /** Samples, N. */
  batch: number
  /** Steps, T. */
  time: number
  /** Features per step, I. */
  inputSize: number
  /** Hidden units, H. */
  hiddenSize: number
  /** Read the sequence from its end. */
  reverse: boolean
}

/** Weights in PyTorch's layout, gates in the order i, f, g, o. */
export interface LSTMWeights {
  /** `[4H, I]` */
  weightIh: Float32Array
  /** `[4H, H]` */
  weightHh: Float32Array
  /** `[4H]`; both biases or none */
  biasIh?: Float32Array
  /** `[4H]`; both biases or none */
  biasHh?: Float32Array
}

/** What a forward pass reads. */
export interface ForwardInputs {
  /** `[N, T, I]` */
  x: Float32Array
  /** Called only when the engine has not prepared the weights of `weightsKey` already. */
  weights: () => LSTMWeights
  /** Objects that stand for the weights' values: as long as they are the same objects, the values are the same. */
  weightsKey: readonly object[]
  /** Hidden and cell state before the first step, `[N, H]` each; zeros when absent. */
  initial?: { h: Float32Array; c: Float32Array }
  /** Keep what a backward pass needs. */
  save: boolean
  /** Hand back the hidden states of all steps. */
  returnOutput: boolean
}

/**
 * What a forward pass computes. The arrays lie in the engine's memory, or are lent by it: they hold until the next forward pass
 * begins, so who wants them longer copies them.
 */
export interface ForwardOutputs {
  /** `[N, T, H]`, when asked for */
  output?: Float32Array
  /** `[N, H]` */
  h: Float32Array
  /** `[N, H]` */
  c: Float32Array
  /** For the backward pass, when asked for. */
  saved?: SavedForward
}

/** A forward pass that can be differentiated once. Holds memory until it is released. */
export interface SavedForward {
  /**
   * Gradients by the weights, and by the inputs and the initial state if these are wanted, from those by the outputs; those
   * that are absent are zero. The arrays are lent, as those of the forward pass are.
   */
  backward(upstream: Upstream, wanted?: WantedGradients): LSTMGradients
  /** Gives the memory back; may be called again. */
  release(): void
}

/** Gradients that are computed only when somebody wants them. */
export interface WantedGradients {
  byInputs?: boolean
  /** By the initial state, where there was one. */
  byInitial?: boolean
}

/** Gradients of a loss by what the forward pass handed back. */
export interface Upstream {
  /** `[N, T, H]` */
  output?: Float32Array
  /** `[N, H]` */
  h?: Float32Array
  /** `[N, H]` */
  c?: Float32Array
}

/** Gradients in PyTorch's layout. */
export interface LSTMGradients {
  /** `[4H, I]` */
  weightIh: Float32Array
  /** `[4H, H]` */
  weightHh: Float32Array
  /** `[4H]`, of either bias */
  bias: Float32Array
  /** `[N, T, I]`, when it was wanted */
  x?: Float32Array
  /** `[N, H]`, when it was wanted and there was an initial state */
  h?: Float32Array
  /** `[N, H]`, when it was wanted and there was an initial state */
  c?: Float32Array
}

/** The shape of a linear layer's work. */
export interface LinearShape {
  /** Samples. */
  rows: number
  /** Features of each input sample. */
  inFeatures: number
  /** Features of each output sample. */
  outFeatures: number
}

/** Gradients of a linear layer, in PyTorch's layout. */
export interface LinearGradients {
  /** `[rows, inFeatures]` */
  x: Float32Array
  /** `[outFeatures, inFeatures]` */
  weight: Float32Array
  /** `[outFeatures]` */
  bias: Float32Array
}

/** Which code computes. */
export type KernelPath = 'relaxed-simd' | 'simd' | 'js'

/** Something that computes LSTM layers, and the linear one after them, on plain arrays. */
export interface LSTMEngine {
  readonly path: KernelPath
  /** Threads that were asked for, the calling one included: large batches are cut for so many. */
  readonly threads: number
  /** Threads that really run, the calling one included; starts them. */
  readonly runningThreads: number
  /** Bits of the vectors that it computes with; 0 where it uses none. */
  readonly vectorBits: 0 | 128 | 256
  /** Milliseconds that the calling thread spent in the kernels, or waiting for other threads to end theirs. */
  readonly milliseconds: number
  forward(shape: LSTMShape, inputs: ForwardInputs): ForwardOutputs
  /** y = x·Wᵀ + b, `[rows, outFeatures]`, on the calling thread. Lent until the next call for a linear layer. */
  linear(shape: LinearShape, x: Float32Array, weight: Float32Array, bias: Float32Array | undefined): Float32Array
  /** Its gradients by all of its inputs, from the one by y; lent likewise. */
  linearGradients(shape: LinearShape, dY: Float32Array, x: Float32Array, weight: Float32Array): LinearGradients
  /** Ends the threads; the memory goes with the last pass that uses it. */
  dispose(): void
}
