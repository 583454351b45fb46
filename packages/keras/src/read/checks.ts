import { KerasUnsupportedError } from '../errors'
import type { KerasSource, LayerConfig } from './source'

/** What a layer is converted with. */
export interface Conversion {
  source: KerasSource
  onNote(note: string): void
}

/** An error about a layer. */
export function refusal(name: string, reason: string): KerasUnsupportedError {
  return new KerasUnsupportedError(`the layer ${name} ${reason}`)
}

/** Refuses options that change what a layer computes. */
export function requireUsual(
  name: string,
  config: LayerConfig['config'],
  usual: Readonly<Record<string, unknown>>,
): void {
  for (const [option, value] of Object.entries(usual)) {
    const given = config[option]
    if (given === undefined || given === null || given === value) continue
    throw refusal(name, `has ${option} ${JSON.stringify(given)}, Rowwise has ${JSON.stringify(value)}`)
  }
}

/** Refuses other classes than Keras's own, and other numbers than float32, also in what a wrapper holds. */
export function checkLayer(name: string, layer: LayerConfig, conversion: Conversion): void {
  checkIsKeras(name, layer)
  if (layer.class_name !== 'InputLayer') checkPrecision(name, layer.config, conversion) // each layer casts what it reads
  for (const [option, value] of Object.entries(layer.config))
    if (value && (/_(regularizer|constraint)$/.test(option) || option === 'noise_shape'))
      conversion.onNote(`${name} has a ${option}, which changes training alone, and is left out`)
  for (const inner of [layer.config.layer, layer.config.backward_layer] as (LayerConfig | null | undefined)[])
    if (inner) checkLayer(inner.config.name ?? name, inner, conversion)
}

/**
 * Refuses a user's class: it may be called as one of Keras's, and compute otherwise. Keras leaves out the module of a
 * class that the program itself defines, and how its own classes are registered.
 */
export function checkIsKeras(name: string, { class_name, module, registered_name }: LayerConfig): void {
  const isKeras = module ? /^((tf_)?keras|tensorflow)(\.|$)/.test(module) : !registered_name
  if (isKeras && !registered_name?.includes('>')) return
  const own = [module, registered_name].filter(Boolean).join(' ')
  throw refusal(name, `is of a class of your own, ${own}; expected Keras's ${class_name}`)
}

/** Rowwise computes in float32: a model that is wider or narrower is another one. */
function checkPrecision(name: string, { dtype }: LayerConfig['config'], { onNote }: Conversion): void {
  const { class_name, config } = (typeof dtype === 'object' && dtype !== null ? dtype : {}) as {
    class_name?: unknown
    config?: { name?: unknown }
  }
  const policy = typeof dtype === 'string' ? dtype : (config?.name ?? class_name)
  if (policy === undefined || policy === 'float32' || policy === 'int32' || policy === 'int64') return
  if (String(policy).startsWith('mixed_')) onNote(`${name} is ${policy}; here it is computed in float32`)
  else throw refusal(name, `is ${JSON.stringify(policy)}, Rowwise computes in float32`)
}
