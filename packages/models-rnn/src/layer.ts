import { type OptionNames, refuseUnknownOptions } from '@rowwise/errors'
import { isHostBackend } from '@rowwise/host-values'
import { engine, type Tensor } from '@tensorflow/tfjs-core'
import { ModuleOptionError } from './errors'
import { Module } from './module'

/** What a layer is told beside its inputs. */
export interface LayerContext {
  /** Steps of each row, `[N]`, where rows are padded to a common length. */
  lengths?: ArrayLike<number> | undefined
}

/** How {@link Layer.vjp} computes. */
export interface VJPOptions extends LayerContext {
  /** Whether the pullback also gives the gradient with respect to the inputs. @default false */
  inputGradient?: boolean | undefined
}

/** The gradients that a pullback returns; the caller disposes the tensors. */
export interface LayerGradients {
  /** With respect to the inputs, of their shape, if `inputGradient` asked for it. */
  inputs?: Tensor
  /** With respect to the trainable parameters, by their names in the layer, each of its parameter's shape. */
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
 * a training loop needs no tape of TensorFlow.js. Without one, the tape differentiates the whole model.
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

  /** Computes the layer; differentiable by TensorFlow.js's tape. */
  // biome-ignore lint/suspicious/noExplicitAny: a layer may ask for inputs of one rank
  abstract forward(inputs: any, context?: LayerContext): LayerOutput

  /**
   * The numbers of `forward` and their pullback, without the tape. Returns undefined unless {@link Layer.hasPullback}, before anything is
   * computed or drawn.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as for forward
  vjp?(inputs: any, options?: VJPOptions): LayerVJP | undefined

  /**
   * Whether {@link Layer.vjp} can compute right now: only on the wasm and the cpu backend, not while TensorFlow.js records a tape, and not
   * in a subclass that overrides `forward` alone.
   */
  hasPullback(): boolean {
    return this.vjp !== undefined && isHostBackend() && !engine().isTapeOn() && belongsTo(this, 'vjp', 'forward')
  }
}

/** Refuses options of `forward` that nobody reads. @throws {@link ModuleOptionError} */
export function requireContext(owner: () => string, context: LayerContext): void {
  if (!isKnown(context, CONTEXT)) refuseUnknownOptions(`${owner()}.forward`, context, CONTEXT, ModuleOptionError)
}

/** Refuses options of `vjp` that nobody reads. @throws {@link ModuleOptionError} */
export function requireVJPOptions(owner: () => string, options: VJPOptions): void {
  if (!isKnown(options, VJP)) refuseUnknownOptions(`${owner()}.vjp`, options, VJP, ModuleOptionError)
}

const CONTEXT: OptionNames<LayerContext> = { lengths: true }
const VJP: OptionNames<VJPOptions> = { lengths: true, inputGradient: true }

/** The names are checked at every step, so the message is made for a stray one alone. */
function isKnown(options: object | null, known: object): boolean {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false
  for (const name in options) if (!(name in known)) return false
  return true
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
