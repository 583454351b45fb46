import { type Tensor, tidy } from '@tensorflow/tfjs-core'
import { belongsTo, type Layer, type LayerContext, type LayerVJP, type VJPOptions } from '../layer'
import { Embedding } from '../layers/embedding'
import { FinalHidden, LastStep } from '../layers/steps'
import type { Picked } from './compose'
import { RecurrentLayer } from './recurrent-layer'

/** A layer of a sequence, or some that are computed together: those give whole names, and `name` is empty. */
export interface Step {
  readonly name: string
  readonly layer: Pick<Layer, 'forward' | 'vjp' | 'isFrozen'>
  /** The whole names of its parameters that were asked for: a new string at every training step is slow as a key. */
  readonly names: Map<string, string>
}

/** The name of a step's parameter in the sequence. */
export function wholeName({ name, names }: Step, parameter: string): string {
  const known = names.get(parameter)
  if (known !== undefined) return known
  const whole = name === '' ? parameter : `${name}.${parameter}`
  names.set(parameter, whole)
  return whole
}

/** A recurrent layer together with the layer after it that picks one state of each row: the others need not be put out. */
export function link(layer: Layer | undefined, next: Layer | undefined): Step['layer'] | undefined {
  const picked = pickedOf(layer, next)
  return picked && (layer as RecurrentLayer).picked(picked)
}

/**
 * An embedding, the recurrent layer after it and what picks a state of that, in one step: the recurrent layer multiplies
 * each vector once, instead of one for every index.
 */
export function linkEmbedding([first, second, third]: readonly (readonly [string, Layer])[]):
  | { embedding: Embedding; step: Step }
  | undefined {
  const [embedding, layer] = [first?.[1], second?.[1]]
  if (!(embedding instanceof Embedding) || !isOwn(embedding, 'lookup')) return undefined
  if (!(layer instanceof RecurrentLayer) || !isOwn(layer, 'passOverRows')) return undefined
  if (layer.inputSize !== embedding.embeddingDim) return undefined
  const picked = pickedOf(layer, third?.[1]) ?? 'output'
  const step: Step = {
    name: '',
    names: new Map(),
    layer: {
      get isFrozen() {
        return embedding.isFrozen && layer.isFrozen
      },
      forward: (inputs: Tensor, context?: LayerContext) =>
        tidy(() => layer.picked(picked).forward(embedding.forward(inputs), context) as Tensor),
      vjp(inputs: Tensor, { lengths }: VJPOptions = {}): LayerVJP {
        const shape = [...inputs.shape, embedding.embeddingDim]
        const options = { lengths, inputGradient: !embedding.isFrozen }
        const pass = layer.passOverRows(embedding.lookup(inputs), shape, picked, options)
        return {
          ...pass,
          pullback(gradient) {
            const { inputs: byVectors, parameters } = pass.pullback(gradient)
            const named = Object.entries(parameters).map(([name, of]) => [`${second[0]}.${name}`, of] as const)
            const weight = byVectors && ([`${first[0]}.weight`, embedding.withoutPadding(byVectors)] as const)
            return { parameters: Object.fromEntries(weight ? [weight, ...named] : named) }
          },
        }
      },
    },
  }
  return { embedding, step }
}

function pickedOf(layer: Layer | undefined, next: Layer | undefined): Picked | undefined {
  if (!(layer instanceof RecurrentLayer) || !isOwn(layer, 'picked')) return undefined
  const isPicker = next instanceof LastStep || next instanceof FinalHidden
  return isPicker && isOwn(next, 'picks') ? next.picks : undefined
}

/** Whether a subclass has not written `forward` or `vjp` anew, which a method of this package does not know. */
function isOwn(layer: Layer, method: string): boolean {
  return belongsTo(layer, method, 'forward') && belongsTo(layer, method, 'vjp')
}
