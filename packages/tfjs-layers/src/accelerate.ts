import type { Tensor } from '@tensorflow/tfjs-core'
import { TfjsLayersError } from './errors'
import { reasonAgainst } from './fusable'
import { fusedCall } from './fused-call'
import { type Call, type CallOptions, type LayerOfLayers, type RecurrentOfLayers, recurrentLayersOf } from './layers'
import { fasterOrthogonal } from './orthogonal'
import { Calls, type LayerReport } from './report'
import { registerResetAfter } from './reset-after'
import { registerWasmKernels } from './wasm/kernels'

/** What {@link accelerate} reads of `@tensorflow/tfjs` or `@tensorflow/tfjs-layers`. */
export interface LayersNamespace {
  /** The base of all recurrent layers. */
  readonly RNN: { prototype: object }
  /** Its functions that make layers. */
  readonly layers: {
    gru(options: { units: number }): object
    gruCell(options: { units: number }): object
  }
  /** Its functions that make initializers. */
  readonly initializers: { orthogonal(options: object): object }
}

/** Called, it takes the change back. */
export interface Acceleration {
  (): void
  /**
   * What ran each recurrent layer, and why tfjs-layers where it did. After {@link accelerate} it lists the layers that were called; of a model
   * that is passed, and after {@link accelerateModel}, all.
   */
  report(model?: object): LayerReport[]
}

interface Accelerated {
  users: number
  readonly calls: Calls
  restore(): void
}

/** By `RNN.prototype`: several programs may ask for it. */
const accelerated = new WeakMap<object, Accelerated>()

/**
 * Runs the recurrent layers of tfjs-layers through the fused kernels from now on: existing, loaded and new models, in Bidirectional,
 * TimeDistributed and other models too. It replaces `RNN.prototype.call` and the orthogonal initializer, lets GRU layers with
 * `reset_after` load, and on the WASM backend registers two kernels. What the kernels cannot compute runs as before, bit for bit.
 *
 * @param tf `@tensorflow/tfjs` or `@tensorflow/tfjs-layers`
 * @returns what takes all of it back, with a report
 * @throws {@link TfjsLayersError} when that is not tfjs-layers.
 * @example
 * ```ts
 * const undo = accelerate(tf)
 * await model.fit(xs, ys)
 * console.table(undo.report())
 * ```
 */
export function accelerate(tf: LayersNamespace): Acceleration {
  const prototype = tf?.RNN?.prototype as RecurrentOfLayers | undefined
  if (typeof prototype?.call !== 'function' || typeof tf.layers?.gruCell !== 'function') {
    throw new TfjsLayersError(
      'accelerate expects tfjs-layers, with RNN and layers; pass what `import * as tf from "@tensorflow/tfjs"` gives',
    )
  }
  const entry = accelerated.get(prototype) ?? change(tf, prototype)
  accelerated.set(prototype, entry)
  entry.users += 1
  let isActive = true
  return handle(
    () => {
      if (!isActive) return
      isActive = false
      entry.users -= 1
      if (entry.users > 0) return
      accelerated.delete(prototype)
      entry.restore()
    },
    (model) => entry.calls.report(model ? layersOf('report', model) : entry.calls.called()),
  )
}

/**
 * Runs the recurrent layers of one model through the fused kernels, and changes nothing else.
 *
 * @param model a `LayersModel`, or a layer
 * @returns what takes it back, with a report of all its recurrent layers
 * @throws {@link TfjsLayersError} when that is not a model of tfjs-layers, or has no recurrent layer.
 * @example
 * ```ts
 * const model = await tf.loadLayersModel('file://model.json')
 * console.table(accelerateModel(model).report())
 * ```
 */
export function accelerateModel(model: object): Acceleration {
  const layers = layersOf('accelerateModel', model)
  if (layers.length === 0) throw new TfjsLayersError('accelerateModel got a model without a recurrent layer')
  const calls = new Calls()
  const undo = layers.map(({ layer }) => {
    const own = Object.getOwnPropertyDescriptor(layer, 'call')
    const { call } = layer
    layer.call = dispatcher(calls, call, () => true)
    const ours = layer.call
    return () => {
      if (layer.call !== ours) return
      if (own) Object.defineProperty(layer, 'call', own)
      else delete (layer as Partial<RecurrentOfLayers>).call
    }
  })
  return handle(
    () => {
      for (const step of undo) step()
    },
    () => calls.report(layers),
  )
}

function change(tf: LayersNamespace, prototype: RecurrentOfLayers): Accelerated {
  const calls = new Calls()
  const original = prototype.call
  let isActive = true
  let wasm = registerWasmKernels()
  const dispatch = dispatcher(calls, original, () => isActive)
  prototype.call = function call(inputs, options) {
    if (isActive) wasm ??= registerWasmKernels() // the backend may be imported later
    return dispatch.call(this, inputs, options)
  }
  const ours = prototype.call
  const undo = [
    registerResetAfter(tf.layers.gru({ units: 1 }), tf.layers.gruCell({ units: 1 })),
    fasterOrthogonal(tf.initializers.orthogonal({})),
  ]
  return {
    users: 0,
    calls,
    restore() {
      isActive = false // somebody may have wrapped our function in the meantime
      if (prototype.call === ours) prototype.call = original
      for (const step of undo) step()
      wasm?.()
    },
  }
}

function dispatcher(calls: Calls, original: Call, isActive: () => boolean): Call {
  return function call(this: RecurrentOfLayers, inputs: Tensor | Tensor[], options?: CallOptions) {
    if (!isActive()) return original.call(this, inputs, options)
    const [given, ...more] = Array.isArray(inputs) ? inputs : [inputs]
    const reason =
      more.length > 0 ? `it has ${more.length + 1} inputs` : reasonAgainst(this, given, options ?? undefined)
    calls.count(this, reason)
    return reason === undefined ? fusedCall(this, given, options ?? {}) : original.call(this, inputs, options)
  }
}

function layersOf(caller: string, model: object): ReturnType<typeof recurrentLayersOf> {
  if (typeof (model as LayerOfLayers | undefined)?.getClassName !== 'function')
    throw new TfjsLayersError(`${caller} expects a model or a layer of tfjs-layers`)
  return recurrentLayersOf(model as LayerOfLayers)
}

function handle(undo: () => void, report: Acceleration['report']): Acceleration {
  return Object.assign(undo, { report })
}
