import { engine, type Tensor, tidy, type Variable, zerosLike } from '@tensorflow/tfjs-core'
import { PullbackError } from './errors'
import type { LayerVJP, VJPOptions } from './layer'
import { passOf } from './pass'

/**
 * A pullback for a layer that computes with TensorFlow.js's operations: it runs the layer once more, on a separate tape (recomputation,
 * Griewank 1992). For layers that give the same output for the same input, and draw nothing at random.
 *
 * @param forward the layer
 * @param inputs what it reads, any shape; alive until the pullback
 * @param options what `vjp` was given
 * @param parameters the layer's parameters by name
 * @throws {@link PullbackError} from the pullback when a parameter has changed since, or it is called twice or after `release`.
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
  const named = Object.entries(parameters).filter((entry): entry is [string, Variable] => entry[1] !== undefined)
  const before = named.map(([, { dataId }]) => dataId)
  const output = tidy(() => forward(inputs))
  const value = output === inputs ? inputs.clone() : output // the inputs are the caller's
  return passOf(() => 'a recomputed layer', {
    value,
    pullback(gradient) {
      const changed = named.find(([, { dataId }], place) => dataId !== before[place])
      if (changed) {
        throw new PullbackError(
          `${changed[0]} changed between vjp and its pullback; take the pullback before the optimizer's step`,
        )
      }
      const trained = named.filter(([, { trainable }]) => trainable)
      const sources = [...(inputGradient ? [inputs] : []), ...trained.map(([, parameter]) => parameter)]
      if (sources.length === 0) return { parameters: {} }
      const gradients = tidy(() => recorded(() => forward(inputs), sources, gradient) as Tensor[]) as (Tensor | null)[]
      const first = inputGradient ? (gradients.shift() ?? zerosLike(inputs)) : undefined
      const byInputs = first === gradient ? gradient.clone() : first
      const present = trained.flatMap(([name], place): [string, Tensor][] => {
        const of = gradients[place]
        return of ? [[name, of]] : []
      })
      return { ...(byInputs && { inputs: byInputs }), parameters: Object.fromEntries(present) }
    },
    release: () => value.dispose(),
  })
}

/** The gradients of TensorFlow.js's tape. Its core brings none along, and train-loop or `@tensorflow/tfjs` do. */
function recorded(forward: () => Tensor, sources: Tensor[], gradient: Tensor): (Tensor | null)[] {
  try {
    return engine().gradients(forward, sources, gradient, true).grads
  } catch (error) {
    if (!/gradient function not found/.test((error as Error).message)) throw error
    throw new PullbackError(
      'TensorFlow.js has no gradients of its operations here, as @tensorflow/tfjs-core registers none by itself; import @rowwise/train-loop, or @tensorflow/tfjs',
      { cause: error },
    )
  }
}
