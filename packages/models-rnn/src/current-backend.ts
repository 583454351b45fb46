import { moveToCurrentBackend } from '@rowwise/host-values'
import { getBackend, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import { TensorError } from './errors'

/**
 * Moves a tensor that another backend holds to the current one, before anything is computed.
 *
 * @param argument what an error is to call it
 * @throws {@link TensorError} when the other backend does not give the values.
 */
export function bringToCurrentBackend(argument: string, tensor: Tensor | undefined): void {
  if (tensor === undefined) return
  try {
    moveToCurrentBackend(tensor)
  } catch (cause) {
    throw new TensorError(
      `${argument} is a tensor of another backend that cannot be moved to ${getBackend()}: ${(cause as Error).message}; ` +
        'make it on the current backend',
      { cause },
    )
  }
}

/** The same of parameters. */
export function bringParameters(parameters: readonly (Variable | undefined)[]): void {
  for (const parameter of parameters) bringToCurrentBackend('a parameter', parameter)
}
