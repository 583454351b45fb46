import { refusal } from './layers'
import type { LayerConfig } from './source'

/** A tensor in a functional model: the layer, which of its calls, and which of what that gives. */
export type Reference = readonly [layer: string, call: number, tensor: number]

/** What a layer reads: its inputs, then initial states. Keras 2 and tf.layers list names, Keras 3 describes a call. */
export function referencesOf({ name, config, inbound_nodes: calls = [] }: LayerConfig): Reference[] {
  if (calls.length > 1)
    throw refusal(name ?? config.name ?? '', `is called ${calls.length} times, Rowwise's layers once`)
  const [call] = calls
  const owner = name ?? config.name ?? ''
  if (Array.isArray(call)) {
    for (const [, , , options] of call) requireKnown(owner, options ?? {})
    return call.map(([layer, at, tensor]): Reference => [layer, at, tensor])
  }
  const { args = [], kwargs = {} } = (call ?? {}) as { args?: unknown; kwargs?: Record<string, unknown> }
  const { initial_state, ...options } = kwargs
  requireKnown(owner, options)
  const states = tensorsIn(initial_state)
  if (initial_state && states.length === 0) throw refusal(owner, 'begins with a constant state')
  return [...tensorsIn(args), ...states]
}

/** Refuses what a layer is called with beside its inputs, such as a mask. */
function requireKnown(owner: string, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue
    throw refusal(owner, `is called with ${name}, which is not read`)
  }
}

function tensorsIn(value: unknown): Reference[] {
  if (Array.isArray(value)) return value.flatMap(tensorsIn)
  if (typeof value !== 'object' || value === null) return []
  const { class_name, config } = value as { class_name?: string; config?: { keras_history?: Reference } }
  return class_name === '__keras_tensor__' && config?.keras_history ? [config.keras_history] : []
}
