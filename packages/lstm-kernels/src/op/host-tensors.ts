import { backendCopies, endLoan, hostValues, keepHostValues, lentTensor } from '@rowwise/host-values'
import type { KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core'

/** Backends whose tensors lie in this process's memory, where copying them into the kernels' memory costs microseconds. */
export const HOST_BACKENDS = ['wasm', 'cpu']

let loans: Pick<TensorInfo, 'dataId'>[] = []

/** To be called before the engine computes anew: what it lent will be written over. */
export function endLoans(): void {
  for (const info of loans) endLoan(info)
  loans = []
}

/** The values of a kernel's input, only to be read, and before anything else is made on the backend. */
export function read(backend: KernelBackend, info: TensorInfo): Float32Array {
  return hostValues(info) ?? viewOf(backend, info) ?? (backend.readSync(info.dataId) as Float32Array)
}

/** The values where they lie in the WASM backend's memory: a copy of a large batch takes as long as a pass. */
function viewOf(backend: KernelBackend, info: TensorInfo): Float32Array | undefined {
  const { typedArrayFromHeap } = backend as { typedArrayFromHeap?(info: TensorInfo): Float32Array }
  return typedArrayFromHeap?.call(backend, info)
}

/** A kernel's output of an array that the engine lends. */
export function writeLent(backend: KernelBackend, values: Float32Array, shape: number[]): TensorInfo {
  const isCopied = backendCopies()
  const dataId = backend.write(isCopied ? values : values.slice(), shape, 'float32')
  const info: TensorInfo = { dataId, shape, dtype: 'float32' }
  if (isCopied) lend(info, values)
  return info
}

/** A kernel's output; the array is the tensor's from now on. */
export function write(backend: KernelBackend, values: Float32Array, shape: number[]): TensorInfo {
  const info: TensorInfo = { dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32' }
  keepHostValues(info, values)
  return info
}

/** The tensor of an array that the engine lends. */
export function tensorOfLent(values: Float32Array, shape: number[]): Tensor {
  const made = lentTensor(values, shape)
  loans.push({ dataId: made.dataId })
  return made
}

function lend(info: Pick<TensorInfo, 'dataId'>, values: Float32Array): void {
  keepHostValues(info, values)
  loans.push({ dataId: info.dataId })
}
