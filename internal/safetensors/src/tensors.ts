import type { Tensor } from '@tensorflow/tfjs-core'
import type { Safetensor, SafetensorsDtype } from './dtypes'

/** An array with its shape: a tensor of a state dict that lives outside TensorFlow.js. */
export interface ArrayWithShape {
  /** Elements along each axis. */
  readonly shape: readonly number[]
  /** Row-major. A model takes floats and keeps them as float32: F16 and BF16 exactly, F64 rounded. */
  readonly data: Safetensor['data']
  /** The element type. @default F64 for a Float64Array, else F32 */
  readonly dtype?: SafetensorsDtype
}

/** Weights by PyTorch's names, as tensors or as plain arrays (what `decodeSafetensors` returns). */
export type StateDict = Readonly<Record<string, Tensor | ArrayWithShape>>
