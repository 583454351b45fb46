import { Graph } from './graph'
import type { Layer } from './layer'
import { Activation, ReLU, Sigmoid, Softmax, Tanh } from './layers/activations'
import { Dropout } from './layers/dropout'
import { Embedding } from './layers/embedding'
import { LayerNorm } from './layers/layer-norm'
import { Linear } from './layers/linear'
import { FinalHidden, LastStep, MeanOverTime } from './layers/steps'
import { RecurrentLayer } from './recurrent/recurrent-layer'
import { Sequential } from './sequential'

const WITH_FORWARD = [
  ...[Graph, Sequential, RecurrentLayer, Linear, Embedding, LayerNorm, Dropout, LastStep, FinalHidden, MeanOverTime],
  Activation,
]
const WITH_APPLY = [Tanh, Sigmoid, ReLU, Softmax]

/**
 * Whether a layer computes what a class of this package does: it is one, or of a class of yours that inherits `forward`
 * (and an activation its `apply`). Whoever writes a model for another program asks that first.
 *
 * @example
 * ```ts
 * class Doubled extends Linear {
 *   override forward(x: tf.Tensor) {
 *     return tf.mul(super.forward(x), 2)
 *   }
 * }
 * isStandard(new Linear(sizes)) // true
 * isStandard(new Doubled(sizes)) // false
 * ```
 */
export function isStandard(layer: Layer): boolean {
  const inherits = (name: 'forward' | 'apply', classes: readonly { prototype: object }[]): boolean => {
    const own = (layer as unknown as Record<string, unknown>)[name]
    return classes.some(({ prototype }) => (prototype as Record<string, unknown>)[name] === own)
  }
  return inherits('forward', WITH_FORWARD) && (!(layer instanceof Activation) || inherits('apply', WITH_APPLY))
}
