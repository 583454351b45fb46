import { engine } from '@tensorflow/tfjs-core'

/**
 * Whether a gradient of a gradient is taken: the kernels' operations have a gradient, and that has none. The composed graph has
 * those of every order.
 */
export function isHigherOrder(): boolean {
  return engine().state.gradientDepth > 1
}
