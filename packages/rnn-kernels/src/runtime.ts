import type { Cell, GateActivation } from './cell'

/** Which code computes. */
export type RuntimeName = 'native' | 'relaxed-simd' | 'simd' | 'js'

/** The shape of one layer's work in one direction. */
export interface RecurrentShape {
  cell: Cell
  gateActivation: GateActivation
  /** Samples, N. */
  batch: number
  /** Steps, T. */
  time: number
  /** Features per step, I. */
  inputSize: number
  /** Hidden units, H. */
  hiddenSize: number
  /** Read each sequence from its end. */
  reverse: boolean
}

/** Weights in PyTorch's layout; G is the number of the cell's gates. */
export interface RecurrentWeights {
  /** `[G·H, I]` */
  weightIh: Float32Array
  /** `[G·H, H]` */
  weightHh: Float32Array
  /** `[G·H]`; both biases or none */
  biasIh?: Float32Array
  /** `[G·H]`; both biases or none */
  biasHh?: Float32Array
}

/** Hidden state and, for an LSTM, cell state: `[N, H]` each. */
export interface State {
  /** Hidden state. */
  h: Float32Array
  /** Cell state, of an LSTM. */
  c?: Float32Array
}

/** Inputs that are rows of a matrix, as an embedding's are: V may be far less than the N·T steps that read them. */
export interface Lookup {
  /** `[N, T]`, which row each step reads. */
  tokens: Int32Array
  /** `[V, I]` */
  vectors: Float32Array
}

/** What a forward pass reads. */
export interface RecurrentInputs {
  /** `[N, T, I]` */
  x: Float32Array | Lookup
  /** Called only when the runtime has not packed the weights of this `version` already. */
  weights: () => RecurrentWeights
  /** Cache key for the packed weights: one object for their layout, and one per tensor, replaced whenever its values change. */
  version: readonly object[]
  /** The state before the first step; zeros when absent. */
  initial?: State
  /** `[N]`, each from 1 to T: steps of each row; all T when absent. */
  lengths?: Int32Array
  /** Keep what a backward pass needs. */
  save: boolean
  /** Return the hidden states of all steps. */
  returnOutput: boolean
}

/** What a forward pass computes. The arrays are views of the runtime's memory, valid until its next call. Copy them to keep them longer. */
export interface RecurrentOutputs extends State {
  /** `[N, T, H]`, when asked for; zero past a row's length. */
  output?: Float32Array
  /** For the backward pass, when asked for. */
  saved?: SavedPass
}

/** A forward pass that can be differentiated. Holds memory until it is released. */
export interface SavedPass {
  /** Gradients with respect to the weights and what else is wanted; absent upstream gradients are zero. Views, as those of the forward pass. */
  backward(upstream: Upstream, wanted?: WantedGradients): RecurrentGradients
  /** Returns the memory; may be called again. */
  release(): void
}

/** Gradients that are computed only when they are wanted. */
export interface WantedGradients {
  /** With respect to the inputs. */
  x?: boolean
  /** With respect to the initial state, if there was one. */
  initial?: boolean
}

/** Gradients of a loss with respect to what the forward pass returned. */
export interface Upstream extends Partial<State> {
  /** `[N, T, H]` */
  output?: Float32Array
}

/** Gradients in PyTorch's layout. */
export interface RecurrentGradients extends Partial<State> {
  /** `[G·H, I]` */
  weightIh: Float32Array
  /** `[G·H, H]` */
  weightHh: Float32Array
  /** `[G·H]`, also without biases */
  biasIh: Float32Array
  /** `[G·H]`; another one than `biasIh` for a GRU */
  biasHh: Float32Array
  /** `[N, T, I]`, when wanted; zero past a row's length. Of a lookup `[V, I]`, with respect to its vectors. */
  x?: Float32Array
}

/** Recurrent layers. */
export interface RecurrentOps {
  forward(shape: RecurrentShape, inputs: RecurrentInputs): RecurrentOutputs
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

/** Linear layers, which write to arrays of the caller. */
export interface LinearOps {
  /** y = x·Wᵀ + b, `[rows, outFeatures]`. */
  forward(
    shape: LinearShape,
    x: Float32Array,
    weight: Float32Array,
    bias: Float32Array | undefined,
    y: Float32Array,
  ): void
  /** Its gradients, from the one with respect to y. */
  gradients(shape: LinearShape, dY: Float32Array, x: Float32Array, weight: Float32Array, to: LinearGradients): void
}

/** The numbers of one Adam step, each rounded to float32 where it enters the arithmetic. */
export interface AdamCoefficients {
  /** β₁ */
  beta1: number
  /** β₂ */
  beta2: number
  /** 1 − β₁ */
  oneMinusBeta1: number
  /** 1 − β₂ */
  oneMinusBeta2: number
  /** −lr / (1 − β₁ᵗ) */
  stepSize: number
  /** √(1 − β₂ᵗ) */
  rootCorrection: number
  /** ε */
  eps: number
  /** λ */
  weightDecay: number
}

/** One parameter of an Adam optimizer. */
export interface AdamSlot {
  /** Running average of the gradient. */
  readonly m: Float32Array
  /** Running average of the squared gradient. */
  readonly v: Float32Array
  /**
   * One step: changes `m` and `v`, and writes the parameter's new values to `next`.
   *
   * @param theta the parameter's values
   * @param gradient the gradient with respect to it
   */
  update(theta: Float32Array, gradient: Float32Array, next: Float32Array, coefficients: AdamCoefficients): void
}

/** Updates of optimizers. Every runtime gives the same bits. */
export interface OptimizerOps {
  /** Slots for parameters of these sizes, with zeros; they live as long as they are held. */
  adam(sizes: readonly number[]): AdamSlot[]
}

/** Losses. Every runtime gives the same bits, as far as Math.exp does. */
export interface LossOps {
  /**
   * Softmax of rows, p = exp(z − max z) / Σ exp(z − max z), in float64 inside.
   *
   * @param logits `[rows, classes]`
   * @param probabilities `[rows, classes]`, which it writes
   * @returns max z and Σ exp(z − max z) of each row, one after the other; valid until the next call
   */
  softmax(logits: Float32Array, classes: number, probabilities: Float32Array): Float64Array
  /**
   * Makes of probabilities the gradient of a cross-entropy with respect to the logits, (p − [k = target])·upstream.
   *
   * @param probabilities `[rows, classes]`, which it changes
   * @param targets `[rows]`, classes
   * @param upstream `[rows]`, or one number for all
   */
  softmaxGradient(probabilities: Float32Array, classes: number, targets: Int32Array, upstream: Float32Array): void
}

/** What a runtime can say of itself. */
export interface RuntimeReport {
  /** Threads that run, the calling one included; starts them. */
  threads: number
  /** Milliseconds that the calling thread spent in kernels, or waiting for other threads. */
  milliseconds: number
}

/** One machine that computes. It owns its memory. */
export interface Runtime {
  readonly name: RuntimeName
  /** The instruction set of native code. */
  readonly instructions?: string
  readonly recurrent: RecurrentOps
  readonly linear: LinearOps
  readonly optimize: OptimizerOps
  readonly losses: LossOps
  report(): RuntimeReport
  /** Multiplies and adds in a loop of so many rounds, and returns the floating-point operations that it did; absent in plain JavaScript. */
  multiplyAdds?(rounds: number): number
  /** Ends the threads; memory goes with the last pass that uses it. */
  dispose(): void
}
