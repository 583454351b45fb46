import { readIntegers } from '@rowwise/host-values'
import { describeValue } from '@rowwise/safetensors'
import { Tensor, type Tensor1D } from '@tensorflow/tfjs-core'
import { LengthsError, ShapeError, TensorError } from './errors'

/**
 * Makes sure that an argument is a live float32 tensor, before anything is computed.
 *
 * @param named the argument's name as the caller knows it; a function where that costs something
 * @throws {@link TensorError} that names the argument, what it is, and the fix.
 */
export function requireTensor(named: string | (() => string), value: unknown): asserts value is Tensor {
  if (value instanceof Tensor && !value.isDisposed && value.dtype === 'float32') return
  const argument = typeof named === 'string' ? named : named()
  if (!(value instanceof Tensor)) {
    const advice = Array.isArray(value) || ArrayBuffer.isView(value) ? 'make one with tf.tensor(…)' : 'pass one'
    throw new TensorError(`${argument} is ${describeValue(value)}, expected a float32 tensor; ${advice}`)
  }
  if (value.isDisposed) {
    throw new TensorError(`${argument} is a disposed tensor; dispose it, or end its tf.tidy, after this call`)
  }
  if (value.dtype !== 'float32') {
    const advice = value.dtype === 'int32' || value.dtype === 'bool' ? "; convert it with tf.cast(x, 'float32')" : ''
    throw new TensorError(`${argument} is a tensor of dtype ${value.dtype}, expected float32${advice}`)
  }
}

/** Makes sure that a tensor has a shape. @throws {@link ShapeError} that names the argument and both shapes. */
export function requireShape(argument: string, tensor: Tensor, expected: readonly number[], meaning: string): void {
  if (tensor.shape.join() !== expected.join()) {
    throw new ShapeError(`${argument} has shape [${tensor.shape}], expected [${expected}]: ${meaning}`)
  }
}

/** Makes sure that an argument is an object of tensors. @throws {@link TensorError} that says what it is instead. */
export function requireTensors(argument: string, value: unknown, expected: string): void {
  if (Object.prototype.toString.call(value) !== '[object Object]' || value instanceof Tensor) {
    throw new TensorError(`${argument} is ${describeValue(value)}, expected ${expected}, a tensor each`)
  }
}

/**
 * The steps of each row as integers. @throws {@link LengthsError} unless there is one from 1 to `time` for each row.
 */
export function requireLengths(lengths: ArrayLike<number> | Tensor1D, batch = 0, time = 0): Int32Array {
  const isTensor = lengths instanceof Tensor
  if (isTensor && (lengths.isDisposed || lengths.dtype !== 'int32')) {
    const found = lengths.isDisposed ? 'a disposed tensor' : `a tensor of dtype ${lengths.dtype}`
    throw new LengthsError(`lengths is ${found}, expected int32: tf.tensor1d(lengths, 'int32')`)
  }
  const values = isTensor ? readIntegers(lengths) : lengths
  if (values?.length !== batch) {
    const found = typeof values?.length === 'number' ? `has ${values.length} entries` : `is ${describeValue(values)}`
    throw new LengthsError(`lengths ${found}, expected one integer for each of the ${batch} rows of the inputs`)
  }
  for (let row = 0; row < batch; row++) {
    const length = values[row]
    if (Number.isInteger(length) && length >= 1 && length <= time) continue
    throw new LengthsError(
      `lengths[${row}] is ${length}, expected an integer from 1 to ${time}, the steps of the inputs`,
    )
  }
  return Int32Array.from(values)
}
