import type { Generator } from '@rowwise/torch-random'
import { mul, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core'

/**
 * Zeroes each element with probability `p` and scales the rest by 1/(1−p), so that the expectation stays
 * (`torch.nn.functional.dropout`, in training). The mask is drawn from `generator`; PyTorch draws its own differently.
 *
 * @param inputs float32, any shape
 * @param p from 0 up to, not including, 1
 * @returns a tensor of the same shape, which the caller disposes
 */
export function dropout<T extends Tensor>(inputs: T, p: number, generator: Generator): T {
  const mask = generator.uniform(new Float32Array(inputs.size))
  const scale = 1 / (1 - p)
  for (let i = 0; i < mask.length; i++) mask[i] = mask[i] < p ? 0 : scale
  return tidy(() => mul(inputs, tensor(mask, inputs.shape)) as T)
}
