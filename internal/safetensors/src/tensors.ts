import type { Tensor } from '@tensorflow/tfjs-core'
import type { Safetensor } from './dtypes'

/** An array with its shape: a tensor of a state dict that lives outside TensorFlow.js. */
export interface ArrayWithShape {
  readonly shape: readonly number[]
  /** Row-major. A model takes float32 values, and float64 ones, which it rounds. */
  readonly data: Safetensor['data']
}

/** Weights by PyTorch's names, as tensors or as plain arrays (what `decodeSafetensors` returns). */
export type StateDict = Readonly<Record<string, Tensor | ArrayWithShape>>
