import { engine, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core'
import type { LayerVJP, VJPOptions } from './layer'

/**
 * A pullback for a layer that computes with TensorFlow.js's operations: the way back runs the layer once more, on a tape of its own
 * (recomputation, Griewank 1992). For layers that give the same for the same inputs, and draw nothing at random.
 *
 * @param forward the layer
 * @param inputs what it reads, any shape; alive until the pullback
 * @param options what `vjp` was given
 * @param parameters the layer's parameters by name
 * @example
 * ```ts
 * override vjp(inputs: Tensor, options: VJPOptions) {
 *   return this.hasPullback() ? recompute((x) => this.forward(x), inputs, options, { weight: this.weight }) : undefined
 * }
 * ```
 */
export function recompute(
  forward: (inputs: Tensor) => Tensor,
  inputs: Tensor,
  { inputGradient = false }: VJPOptions = {},
  parameters: Readonly<Record<string, Variable | undefined>> = {},
): LayerVJP {
  const value = forward(inputs)
  return {
    value,
    pullback(gradient) {
      const trained = Object.entries(parameters).filter(([, parameter]) => parameter?.trainable) as [string, Variable][]
      const sources = [...(inputGradient ? [inputs] : []), ...trained.map(([, parameter]) => parameter)]
      if (sources.length === 0) return { parameters: {} }
      const found = tidy(() => engine().gradients(() => forward(inputs), sources, gradient).grads)
      const byInputs = inputGradient ? found.shift() : undefined
      const named = trained.map(([name], place): [string, Tensor] => [name, found[place]])
      return { ...(byInputs && { inputs: byInputs }), parameters: Object.fromEntries(named) }
    },
    release: () => value.dispose(),
  }
}
