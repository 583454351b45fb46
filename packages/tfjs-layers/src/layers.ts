// What is read of tfjs-layers 4.22's own objects. Some of it is private to its types, so the types here say what is
// there when it runs.
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'

/** A weight of a layer. */
export interface Weight<T extends Tensor> {
  /** Its present value. */
  read(): T
}

interface Named {
  getClassName(): string
}

/** A cell of `tf.layers`, as far as its kind is not known. */
export interface CellOfLayers extends Named {
  readonly kernel: Weight<Tensor2D>
  readonly recurrentKernel: Weight<Tensor2D>
  readonly bias: Weight<Tensor1D> | null
  readonly units: number
  readonly activation: Named | null
  readonly recurrentActivation?: Named | null
  readonly dropout: number
  readonly recurrentDropout: number
  readonly dropoutFunc?: (ones: Tensor, rate: number) => Tensor
  /** Keras's `reset_after=True`, of our own cell only. */
  readonly resetAfter?: boolean
  readonly stateSize: number | number[]
}

/** What a recurrent layer is told beside its inputs. */
export interface CallOptions {
  mask?: Tensor | Tensor[] | null
  training?: boolean | null
  initialState?: Tensor2D[] | null
}

/** `RNN.call`. */
export type Call = (this: RecurrentOfLayers, inputs: Tensor | Tensor[], options?: CallOptions) => Tensor | Tensor[]

/** A recurrent layer of `tf.layers`. */
export interface RecurrentOfLayers extends Named {
  readonly name: string
  readonly cell: CellOfLayers
  readonly returnSequences: boolean
  readonly returnState: boolean
  readonly goBackwards: boolean
  readonly stateful: boolean
  readonly states_: Tensor2D[] | null
  resetStates(states?: Tensor[], training?: boolean | null): void
  call: Call
}

/** A layer or model that may hold others. */
export interface LayerOfLayers extends Named {
  readonly name: string
  readonly layers?: readonly LayerOfLayers[]
  readonly layer?: LayerOfLayers
  readonly forwardLayer?: LayerOfLayers
  readonly backwardLayer?: LayerOfLayers
  readonly cell?: CellOfLayers
}

/** The classes that a layer is of, from its own on. */
function classesOf(layer: object): { prototype: object; className: string | undefined }[] {
  const classes = []
  for (let at = Object.getPrototypeOf(layer); at !== null; at = Object.getPrototypeOf(at)) {
    const { constructor: made } = at as { constructor: { className?: string } }
    // A class of the user's inherits the name, unless it has its own.
    classes.push({ prototype: at, className: Object.hasOwn(made, 'className') ? made.className : undefined })
  }
  return classes
}

/** `RNN.prototype`, for a layer that inherits it. */
export function recurrentPrototypeOf(layer: object): object | undefined {
  return classesOf(layer).find(({ className }) => className === 'RNN')?.prototype
}

/** Whether it is an LSTM, GRU or SimpleRNN: their `call` draws the dropout masks of each call anew. */
export function drawsMasksAnew(layer: object): boolean {
  return classesOf(layer).some(({ className }) => ['LSTM', 'GRU', 'SimpleRNN'].includes(className ?? ''))
}

/** The name of the class that has a layer's method; undefined for the layer itself, and for a class without a name. */
export function ownerOf(layer: object, method: 'call' | 'getInitialState'): string | undefined {
  if (Object.hasOwn(layer, method)) return undefined
  return classesOf(layer).find(({ prototype }) => Object.hasOwn(prototype, method))?.className
}

/** The recurrent layers in a model, those in wrappers and in models within it too, with their places. */
export function recurrentLayersOf(model: LayerOfLayers): { place: string; layer: RecurrentOfLayers }[] {
  const found: { place: string; layer: RecurrentOfLayers }[] = []
  const seen = new Set<LayerOfLayers>()
  const visit = (layer: LayerOfLayers | undefined, path: string): void => {
    if (layer === undefined || layer === null || seen.has(layer)) return
    seen.add(layer)
    const place = path === '' ? layer.name : `${path}/${layer.name}`
    if (recurrentPrototypeOf(layer)) found.push({ place, layer: layer as unknown as RecurrentOfLayers })
    const { forwardLayer, backwardLayer } = layer
    const wrapped = forwardLayer ? [forwardLayer, backwardLayer] : [layer.layer] // a Bidirectional's layer is a pattern
    for (const inner of wrapped) visit(inner, place)
    for (const inner of layer.layers ?? []) visit(inner, place)
  }
  for (const layer of model.layers ?? [model]) visit(layer, '')
  return found
}
