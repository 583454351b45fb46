import { engine, type Tensor } from '@tensorflow/tfjs-core'
import { isHostBackend } from './current-backend'
import { Module } from './module'

/** What a layer is told beside its inputs. */
export interface LayerContext {
  /** Steps of each row, `[N]`, where rows are padded to a common length. */
  lengths?: ArrayLike<number>
}

/** How {@link Layer.vjp} computes. */
export interface VJPOptions extends LayerContext {
  /** Whether the pullback is to give the gradient by the inputs, too. @default false */
  inputGradient?: boolean
}

/** The gradients that a pullback gives; the caller disposes the tensors. */
export interface LayerGradients {
  /** By the inputs, of their shape, where they were wanted. */
  inputs?: Tensor
  /** By the trainable parameters, by their names in the layer, each of its parameter's shape. */
  parameters: Record<string, Tensor>
}

/** A layer's output and its pullback: a vector-Jacobian product, as `jax.vjp` returns. */
export interface LayerVJP {
  /** What `forward` gives; lives until `release`. */
  readonly value: Tensor
  /** The gradients, from the one by the value and of its shape; once. */
  pullback(gradient: Tensor): LayerGradients
  /** Gives back the value, and what the pullback would need; called in the end in any case. */
  release(): void
}

/** What a layer's forward pass hands back: a tensor, or several of which the next layer reads `output`. */
export type LayerOutput = Tensor | LayerOutputs

/** Several tensors that a layer hands back. */
export interface LayerOutputs {
  /** What the next layer reads. */
  readonly output: Tensor
}

/**
 * A module with one input: its parameters, its forward pass, and its pullback. Layers compose in `Sequential`; when all have pullbacks,
 * a training loop takes the way back without TensorFlow.js's tape. A layer without one is differentiated by the tape.
 *
 * @example
 * ```ts
 * class Scale extends Layer {
 *   private readonly weight = this.registerParameter('weight', Float32Array.of(1), [1])
 *   forward(inputs: Tensor) { return mul(inputs, this.weight) }
 * }
 * const net = new Sequential(new Scale(), new Linear({ inFeatures: 64, outFeatures: 10 }))
 * ```
 */
export abstract class Layer extends Module {
  /** The class's name in messages, also where a bundler renames the class. */
  static override readonly name: string = 'Layer'
  private isVJPOfForward: boolean | undefined

  /** Computes the layer; differentiable by TensorFlow.js's tape. */
  // biome-ignore lint/suspicious/noExplicitAny: a layer may ask for inputs of one rank
  abstract forward(inputs: any, context?: LayerContext): LayerOutput

  /**
   * The numbers of `forward` and the way back from a gradient by them, without the tape. Undefined unless {@link Layer.hasPullback},
   * and then nothing was computed or drawn.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as for forward
  vjp?(inputs: any, options?: VJPOptions): LayerVJP | undefined

  /**
   * Whether {@link Layer.vjp} can compute right now: only on the wasm and the cpu backend, not while TensorFlow.js records a tape, nor in a subclass that has another
   * `forward` but no `vjp` of its own.
   */
  hasPullback(): boolean {
    if (this.vjp === undefined || !isHostBackend() || engine().isTapeOn()) return false
    this.isVJPOfForward ??= belongsTo(this, 'vjp', 'forward')
    return this.isVJPOfForward
  }
}

/** Whether a method was written for what another one does: it is defined where that is in the chain of prototypes, or nearer to the object. */
export function belongsTo(layer: object, method: string, other: string): boolean {
  return depthOf(layer, method) <= depthOf(layer, other)
}

function depthOf(layer: object, method: string): number {
  let depth = 0
  for (let holder = layer; holder !== null && !Object.hasOwn(holder, method); depth++)
    holder = Object.getPrototypeOf(holder)
  return depth
}
