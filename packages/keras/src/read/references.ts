import { refusal } from './checks'
import { type LayerConfig, nameOf } from './source'

/** A tensor in a functional model: the layer, which of its calls, and which of what that gives. */
export type Reference = readonly [layer: string, call: number, tensor: number]

/** A call of a layer as Keras 3 describes it. */
export interface Call {
  args?: readonly unknown[]
  kwargs?: Readonly<Record<string, unknown>>
}

/** What a layer reads: its inputs, then initial states. Keras 2 and tf.layers list names, Keras 3 describes a call. */
export function referencesOf(layer: LayerConfig): Reference[] {
  const owner = nameOf(layer)
  const { inbound_nodes: calls = [] } = layer
  if (calls.length > 1) throw refusal(owner, `is called ${calls.length} times, Rowwise's layers once`)
  const [call = {}] = calls
  if (Array.isArray(call)) return call.map((given) => listed(owner, given))
  const { args = [], kwargs: { initial_state, ...options } = {} } = call as Call
  requireKnown(owner, options)
  const [inputs, states, ...others] = args
  for (const each of others) requireKnown(owner, { 'a third argument': each })
  return [inputs, states, initial_state].flatMap((each) => tensorsIn(owner, each))
}

/** `["x", 0, 0, {}]`, as Keras 2 has it; a constant has another name in place of a layer's. */
function listed(
  owner: string,
  [layer, at, tensor, options = {}]: readonly [string, number, number, object?],
): Reference {
  if (layer === '_CONSTANT_VALUE') throw constant(owner)
  requireKnown(owner, options)
  return [layer, at, tensor]
}

/** Refuses what a layer is called with beside its inputs. */
function requireKnown(owner: string, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue
    throw refusal(owner, `is called with ${name}, which is not read`)
  }
}

/** The tensors in an argument. */
function tensorsIn(owner: string, value: unknown): Reference[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.flatMap((each) => tensorsIn(owner, each))
  const found = tensorOf(value)
  if (found === undefined) throw constant(owner)
  return [found]
}

/** What Keras 3 writes of a tensor; undefined for anything else. */
export function tensorOf(value: unknown): Reference | undefined {
  const { class_name, config } = (value ?? {}) as { class_name?: string; config?: { keras_history?: Reference } }
  return class_name === '__keras_tensor__' ? config?.keras_history : undefined
}

function constant(owner: string): Error {
  return refusal(owner, 'is called with a constant, which is not read; give it by an Input')
}
