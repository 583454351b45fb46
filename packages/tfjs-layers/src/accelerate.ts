import type { Tensor } from '@tensorflow/tfjs-core'
import { TfjsLayersError } from './errors'
import { reasonAgainst } from './fusable'
import { fusedCall } from './fused-call'
import {
  type Call,
  type CallOptions,
  type LayerOfLayers,
  ownerOf,
  type RecurrentOfLayers,
  recurrentLayersOf,
  recurrentPrototypeOf,
} from './layers'
import { fasterOrthogonal } from './orthogonal'
import { Calls, type LayerReport } from './report'
import { registerResetAfter } from './reset-after'
import { registerWasmKernels } from './wasm/kernels'

/** What {@link accelerate} reads of `@tensorflow/tfjs` or `@tensorflow/tfjs-layers`. */
export interface LayersNamespace {
  /** The base of all recurrent layers. */
  readonly RNN: {
    /** Has `call`. */
    prototype: object
  }
  /** Its functions that make layers. */
  readonly layers: {
    /** Makes a GRU layer. */
    gru(options: { units: number; name: string }): object
    /** Makes its cell. */
    gruCell(options: { units: number; name: string }): object
  }
  /** Its functions that make initializers. */
  readonly initializers: {
    /** Makes an orthogonal initializer. */
    orthogonal(options: object): object
  }
}

/** Called, it takes the change back. */
export interface Acceleration {
  (): void
  /**
   * What ran each recurrent layer, and why tfjs-layers where it did. After {@link accelerate} it lists the layers that
   * were called; of a model that is passed, and after {@link accelerateModel}, all.
   */
  report(model?: object): LayerReport[]
}

interface Accelerated {
  /** Those who count calls. */
  readonly users: Set<Calls>
  restore(): void
}

/** By `RNN.prototype`: several programs may ask for it. */
const accelerated = new WeakMap<object, Accelerated>()

/**
 * Runs the recurrent layers of tfjs-layers through the fused kernels from now on: existing, loaded and new models, in
 * Bidirectional, TimeDistributed and other models too. It replaces `RNN.prototype.call` and the orthogonal initializer,
 * lets GRU layers with `reset_after` load, and on the WASM backend registers two kernels. What the kernels cannot
 * compute runs as before, bit for bit.
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
  const { RNN, layers, initializers } = tf ?? {}
  const prototype = RNN?.prototype as RecurrentOfLayers | undefined
  const functions = [prototype?.call, layers?.gru, layers?.gruCell, initializers?.orthogonal]
  if (prototype === undefined || functions.some((each) => typeof each !== 'function')) {
    const isCore = typeof (tf as { setBackend?: unknown } | undefined)?.setBackend === 'function'
    throw new TfjsLayersError(
      `accelerate got ${isCore ? 'tfjs-core' : 'something else'}, expected tfjs-layers, with RNN, layers and initializers; ` +
        'pass what `import * as tf from "@tensorflow/tfjs-layers"` or "@tensorflow/tfjs" gives',
    )
  }
  const entry = accelerated.get(prototype) ?? change(tf, prototype)
  accelerated.set(prototype, entry)
  const calls = new Calls()
  entry.users.add(calls)
  return handle(
    () => {
      if (!entry.users.delete(calls) || entry.users.size > 0) return
      accelerated.delete(prototype)
      entry.restore()
    },
    (model) => calls.report(model ? layersOf('report', model) : calls.called()),
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
  for (const { layer } of layers) addUser(layer, calls)
  let isActive = true
  return handle(
    () => {
      if (isActive) for (const { layer } of layers) removeUser(layer, calls)
      isActive = false
    },
    () => calls.report(layers),
  )
}

const OVERRIDDEN = 'its call is overridden; with accelerate(tf), what that calls of tfjs-layers runs fused'

/** A layer whose own `call` is replaced: those who count its calls, and what takes it back. */
const replaced = new WeakMap<RecurrentOfLayers, { users: Set<Calls>; restore(): void }>()

function addUser(layer: RecurrentOfLayers, calls: Calls): void {
  const known = replaced.get(layer)
  if (known) {
    known.users.add(calls)
    return
  }
  const users = new Set([calls])
  const own = Object.getOwnPropertyDescriptor(layer, 'call')
  const isUsual = ['LSTM', 'GRU', 'SimpleRNN', 'RNN'].includes(ownerOf(layer, 'call') ?? '')
  const ours = dispatcher(users, layer.call, isUsual ? undefined : OVERRIDDEN)
  layer.call = ours
  replaced.set(layer, {
    users,
    restore() {
      if (layer.call !== ours) return
      if (own) Object.defineProperty(layer, 'call', own)
      else delete (layer as Partial<RecurrentOfLayers>).call
    },
  })
}

function removeUser(layer: RecurrentOfLayers, calls: Calls): void {
  const known = replaced.get(layer)
  known?.users.delete(calls)
  if (known === undefined || known.users.size > 0) return
  replaced.delete(layer)
  known.restore()
}

function change(tf: LayersNamespace, prototype: RecurrentOfLayers): Accelerated {
  const users = new Set<Calls>()
  const original = prototype.call
  let wasm = registerWasmKernels()
  const dispatch = dispatcher(users, original)
  prototype.call = function call(inputs, options) {
    if (users.size > 0) wasm ??= registerWasmKernels() // the backend may be imported later
    return dispatch.call(this, inputs, options)
  }
  const ours = prototype.call
  // With names, because tfjs-layers counts those that it makes up.
  const probe = { units: 1, name: 'rowwise' }
  const undo = [
    registerResetAfter(tf.layers.gru({ ...probe }), tf.layers.gruCell({ ...probe })),
    fasterOrthogonal(tf.initializers.orthogonal({})),
  ]
  return {
    users,
    restore() {
      if (prototype.call === ours) prototype.call = original // somebody may have wrapped our function in the meantime
      for (const step of undo) step()
      wasm?.()
    },
  }
}

/** What runs a call fused, or as before where there is an `obstacle` or another reason; without users as before. */
function dispatcher(users: ReadonlySet<Calls>, original: Call, obstacle?: string): Call {
  return function call(this: RecurrentOfLayers, inputs: Tensor | Tensor[], options?: CallOptions) {
    if (users.size === 0) return original.call(this, inputs, options)
    const [given, ...more] = Array.isArray(inputs) ? inputs : [inputs]
    const reason =
      more.length > 0
        ? `it has ${more.length + 1} inputs`
        : (obstacle ?? reasonAgainst(this, given, options ?? undefined))
    const outputs = reason === undefined ? fusedCall(this, given, options ?? {}) : original.call(this, inputs, options)
    const counting = new Set(users)
    // A layer of an accelerated model does not get to RNN.prototype.call.
    if (reason === undefined)
      for (const calls of accelerated.get(recurrentPrototypeOf(this) ?? {})?.users ?? []) counting.add(calls)
    for (const calls of counting) calls.count(this, reason)
    return outputs
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
