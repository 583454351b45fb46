import { hostValues } from '@rowwise/host-values'
import { engine, getBackend, type Tensor, type Variable } from '@tensorflow/tfjs-core'
import { TensorError } from './errors'

/**
 * Moves a tensor that another backend holds to the current one, as TensorFlow.js would at its first use. The kernels read
 * WebAssembly's memory in place, and a tensor that is moved there while they do can make it grow and go away.
 *
 * @param argument what an error is to call it
 * @throws {@link TensorError} when the other backend does not give the values.
 */
export function bringToCurrentBackend(argument: string, tensor: Tensor | undefined): void {
  if (tensor === undefined || hostValues(tensor) !== undefined) return // the kernels read these from an array
  const { backend, state } = engine()
  if (state.tensorInfo.get(tensor.dataId)?.backend === backend) return
  try {
    engine().moveData(backend, tensor.dataId)
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

/** Whether tensors are in this process's memory, where reading them costs nothing. */
export function isHostBackend(): boolean {
  return HOST_BACKENDS.has(getBackend())
}

const HOST_BACKENDS = new Set(['cpu', 'wasm'])
