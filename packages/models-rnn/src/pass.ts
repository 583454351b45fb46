import type { Tensor } from '@tensorflow/tfjs-core'
import { requireShape, requireTensor } from './check-tensor'
import { PullbackError } from './errors'
import type { LayerVJP } from './layer'

/**
 * A pass whose pullback is taken once, before its release, from a gradient of the value's shape: anything else would give other numbers
 * without a word.
 *
 * @param owner the layer, for messages
 */
export function passOf(owner: () => string, { value, pullback, release }: LayerVJP): LayerVJP {
  const { shape } = value
  let state: 'open' | 'used' | 'released' = 'open'
  return {
    value,
    pullback(gradient: Tensor) {
      if (state !== 'open') {
        const what = state === 'used' ? 'taken already' : 'released'
        throw new PullbackError(`the pullback of ${owner()} was ${what}; call vjp again`)
      }
      requireTensor(() => `the gradient for ${owner()}`, gradient)
      requireShape(`the gradient for ${owner()}`, gradient, shape, 'the shape of its value')
      state = 'used'
      return pullback(gradient)
    },
    release() {
      if (state === 'released') return
      state = 'released'
      release()
    },
  }
}
