import { engine, getBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { hostValues } from './values'

/** Backends whose tensors are in this process's memory, where reading them costs microseconds. */
export const HOST_BACKENDS: readonly string[] = ['wasm', 'cpu']

/** Whether the current backend is one of them. */
export function isHostBackend(): boolean {
  return HOST_BACKENDS.includes(getBackend())
}

/**
 * Moves a tensor that another backend holds to the current one, as TensorFlow.js would at its first use: one that is moved while the kernels
 * read WebAssembly's memory can make that grow and go away. Values that are in an array stay there.
 */
export function moveToCurrentBackend({ dataId }: Pick<TensorInfo, 'dataId'>): void {
  const { backend, state } = engine()
  if (hostValues({ dataId }) !== undefined || state.tensorInfo.get(dataId)?.backend === backend) return
  engine().moveData(backend, dataId)
}
