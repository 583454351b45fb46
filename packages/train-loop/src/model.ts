import type { Tensor, Variable } from '@tensorflow/tfjs-core'

/** Trainable tensors by name. */
export type NamedParameters = Readonly<Record<string, Variable>>

/** Gradients by parameter name; a parameter that the loss does not depend on has none. */
export type NamedGradients = Readonly<Record<string, Tensor>>

/** What a model's pullback gives. */
export interface ModelGradients {
  /** The gradients by the trainable parameters; the caller disposes them. */
  parameters: NamedGradients
}

/** The outputs of a batch and their pullback. */
export interface ModelVJP {
  /** What `forward` gives; lives until `release`. */
  readonly value: Tensor
  /** The gradients by the trainable parameters, from the one by the value; called once at most. The caller disposes the tensors. */
  pullback(gradient: Tensor): ModelGradients
  /** Gives up the value, and what the pullback would need; called in the end in any case. */
  release(): void
}

/** What can be trained: any object with these four methods, such as the modules of `@rowwise/models-rnn`. */
export interface Trainable {
  /** Maps a batch of inputs to a batch of outputs; differentiable. */
  // biome-ignore lint/suspicious/noExplicitAny: a model may ask for inputs of one rank
  forward(inputs: any): Tensor
  /** The tensors to train, by name. */
  parameters(): NamedParameters
  /** Everything a checkpoint needs, by name; the tensors remain the model's. */
  stateDict(): Readonly<Record<string, Tensor>>
  /** Takes over what `stateDict` handed out. */
  loadStateDict(stateDict: Readonly<Record<string, Tensor>>): void
  /**
   * `forward` with gradients of its own in the place of TensorFlow.js's (a vector-Jacobian product), for models that have a faster way;
   * undefined where they have none right now.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as for forward
  vjp?(inputs: any): ModelVJP | undefined
  /** What computes it, in words, for checkpoints: where it differs, the numbers do in their last bits. */
  computedBy?(): string
  /** Switches between training and evaluation, for models that behave differently. */
  train?(mode: boolean): unknown
  /** Whether the model is in training; put back after an evaluation, in its parts too. */
  training?: boolean
  /** Its parts by name. */
  namedChildren?(): readonly (readonly [name: string, part: Part])[]
}

/** A part of a model, which may be in another mode. */
export type Part = Pick<Trainable, 'training' | 'namedChildren'>

/** What a model reads of a batch: a tensor `[N, …]`, or several things by name, such as `{ inputs, lengths }`. */
export type BatchInputs = Tensor | { readonly [name: string]: unknown }

/** One batch: the first axis of its tensors counts the samples. They belong to whoever made the batch. */
export interface Batch {
  /** What the model's `forward` is called with. */
  inputs: BatchInputs
  /** What the loss compares with, `[N, …]`; class indices for a classifier. */
  targets: Tensor
}

/** Where batches come from: an array, a `DataLoader`, any iterable. Training iterates it once per epoch. */
export type BatchSource = Iterable<Batch> | AsyncIterable<Batch>

/** A loss and its pullback. The loop disposes what they return and nothing else, so compute both in `tf.tidy`. */
export interface LossVJP {
  /** The loss, a scalar; the caller disposes it. */
  readonly value: Tensor
  /** The gradient by the outputs, of their shape; the caller disposes it. */
  pullback(): Tensor
}

/**
 * Maps outputs and targets to a scalar to minimise; differentiable, such as {@link crossEntropy}. Where it brings its gradient along as
 * `vjp`, a training step needs no tape for it.
 */
export interface LossFunction {
  (outputs: Tensor, targets: Tensor): Tensor
  /** The value and its pullback, without TensorFlow.js's tape; undefined where there is none right now. */
  vjp?(outputs: Tensor, targets: Tensor): LossVJP | undefined
  /** That the loss of a batch is the sum of its samples' losses, for the mean over several batches. @default 'mean' */
  readonly reduction?: 'mean' | 'sum' | 'none'
}
