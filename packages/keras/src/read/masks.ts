import { KerasUnsupportedError } from '../errors'
import { type Conversion, refusal } from './checks'
import { isRecurrent, returnsSequences } from './layers'
import { type Call, tensorOf } from './references'
import { type LayerConfig, nameOf } from './source'

/**
 * What masks the inputs of a chain of layers, where its first one does.
 *
 * @throws KerasUnsupportedError where Keras masks something else, or in a layer that has no mask here
 */
export function maskOf(
  layers: readonly LayerConfig[],
  { source: { isLayers }, onNote }: Conversion,
): { value: number; putsOutSteps: boolean } | undefined {
  const [first, ...others] = layers.filter(({ class_name }) => class_name !== 'InputLayer')
  const late = others.find(isMask)
  if (late) throw refusal(nameOf(late), 'masks what another layer puts out, Rowwise masks inputs')
  if (!first || !isMask(first)) return undefined
  let last: LayerConfig | undefined
  let putsOutSteps = true
  for (const layer of others) {
    if (!putsOutSteps) break
    if (layer.class_name === 'Softmax') throw refusal(nameOf(layer), 'reads a mask, expected Activation("softmax")')
    if (layer.class_name === 'GlobalAveragePooling1D' && isLayers)
      throw refusal(nameOf(layer), 'averages masked steps, too, in tf.layers, in Rowwise only the others')
    if (!readsMask(layer)) continue
    const [call] = layer.inbound_nodes ?? []
    const isKeras3 = call !== undefined && !Array.isArray(call)
    if (isKeras3 && !layer.isMasked) throw refusal(nameOf(layer), 'reads masked steps without their mask')
    putsOutSteps = returnsSequences(layer)
    last = layer
  }
  const value = maskedValue(first)
  const isZero = last ? last.class_name === 'Bidirectional' || last.config.zero_output_for_mask === true : value === 0
  if (putsOutSteps && !isZero)
    onNote(
      last
        ? 'past the end of a row the outputs are those of zeros, in Keras of the last state'
        : 'past the end of a row the outputs are those of what is masked, in Keras of zeros',
    )
  return { value, putsOutSteps }
}

/** Refuses masks where the layers are no chain. */
export function refuseMasks(layers: readonly LayerConfig[]): void {
  if (layers.some(isMask)) throw new KerasUnsupportedError('the model masks its inputs and is not a chain of layers')
}

/**
 * The layers without the operations by which a functional model of Keras 3 computes a mask: `not_equal` of what an
 * Embedding reads, `any(not_equal)` of what a Masking reads. Other operations stay, to be refused.
 */
export function withoutMaskOperations(layers: readonly LayerConfig[]): LayerConfig[] {
  const origins = new Map(
    layers.filter(isMask).map((layer) => [JSON.stringify([inputOf(layer), maskedValue(layer)]), layer.class_name]),
  )
  const parts = new Set<unknown>()
  const masks = new Set<unknown>()
  for (const layer of layers) {
    const { class_name, config } = layer
    const origin = origins.get(JSON.stringify([inputOf(layer), callOf(layer).args?.[1]]))
    if (class_name === 'NotEqual' && origin) (origin === 'Masking' ? parts : masks).add(nameOf(layer))
    else if (class_name === 'Any' && parts.has(inputOf(layer)?.[0]) && config.axis === -1 && !config.keepdims)
      masks.add(nameOf(layer))
  }
  return layers.flatMap((layer) => {
    if (masks.has(nameOf(layer)) || parts.has(nameOf(layer))) return []
    const { args, kwargs: { mask, ...kwargs } = {} as NonNullable<Call['kwargs']> } = callOf(layer)
    if (!masks.has(tensorOf(mask)?.[0])) return [layer]
    return [{ ...layer, isMasked: true, inbound_nodes: [{ args, kwargs }] }]
  })
}

function callOf({ inbound_nodes: [call, ...more] = [] }: LayerConfig): Call {
  return more.length > 0 || Array.isArray(call) ? {} : ((call ?? {}) as Call)
}

function inputOf(layer: LayerConfig): readonly unknown[] | undefined {
  return tensorOf(callOf(layer).args?.[0])
}

function isMask({ class_name, config }: LayerConfig): boolean {
  return class_name === 'Masking' || (class_name === 'Embedding' && config.mask_zero === true)
}

function maskedValue({ class_name, config }: LayerConfig): number {
  return class_name === 'Masking' ? ((config.mask_value as number | undefined) ?? 0) : 0
}

function readsMask(layer: LayerConfig): boolean {
  return layer.class_name === 'GlobalAveragePooling1D' || isRecurrent(layer)
}
