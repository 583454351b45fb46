import { awaitValues } from '@rowwise/host-values'
import { dispose, mul, type Tensor } from '@tensorflow/tfjs-core'
import { TrainOptionError } from './errors'
import type { NamedGradients } from './model'

/** What {@link clipGradientNorm} made of gradients. */
export interface ClippedGradients {
  /** The gradients to use, which the caller disposes. */
  gradients: NamedGradients
  /** Their common L2 norm before. */
  norm: number
}

/**
 * Scales gradients down so that their common L2 norm is at most `maxNorm`, after `torch.nn.utils.clip_grad_norm_`. Waits for the device.
 *
 * @param raw disposed where they are replaced
 * @returns the gradients to use, which the caller disposes, and the norm that was found
 * @throws {@link TrainOptionError} unless `maxNorm` is over 0.
 * @example
 * ```ts
 * const { gradients, norm } = await clipGradientNorm(raw, 1)
 * ```
 */
export async function clipGradientNorm(raw: NamedGradients, maxNorm: number): Promise<ClippedGradients> {
  if (!(maxNorm > 0)) throw new TrainOptionError(`maxNorm is ${maxNorm}, expected a number over 0`)
  const norm = await gradientNorm(raw)
  const scale = maxNorm / (norm + 1e-6) // PyTorch's guard against a norm of 0
  if (!(scale < 1)) return { gradients: raw, norm }
  const gradients = Object.fromEntries(Object.entries(raw).map(([name, gradient]) => [name, mul(gradient, scale)]))
  dispose(raw as Record<string, Tensor>)
  return { gradients, norm }
}

/**
 * The L2 norm of all gradients taken together. Waits for the device.
 *
 * @example
 * ```ts
 * const norm = await gradientNorm(gradients)
 * ```
 */
export async function gradientNorm(gradients: NamedGradients): Promise<number> {
  let squares = 0
  for (const values of await Promise.all(Object.values(gradients).map((gradient) => awaitValues(gradient)))) {
    for (const value of values) squares += value * value
  }
  return Math.sqrt(squares)
}
