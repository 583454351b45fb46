import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { moveHere, type WasmBackend } from './backend'

/**
 * GatherV2 along the first axis by copies of rows; the backend's own goes element by element. Everything else is left
 * to it.
 */
export function gatherRows(original: KernelConfig): KernelConfig {
  return {
    ...original,
    kernelFunc: (given) => {
      const { x, indices } = given.inputs as { x: TensorInfo; indices: TensorInfo }
      const { axis = 0, batchDims = 0 } = given.attrs as { axis?: number; batchDims?: number }
      const backend = given.backend as WasmBackend
      const isRows = axis === 0 && batchDims === 0 && x.shape.length > 1
      if (!isRows || x.dtype === 'string' || indices.dtype !== 'int32') return original.kernelFunc(given)
      const width = x.shape.slice(1).reduce((product, size) => product * size, 1)
      moveHere(backend, [x, indices])
      const output = backend.makeOutput([...indices.shape, ...x.shape.slice(1)], x.dtype)
      const [from, rows, to] = [x, indices, output].map((info) => backend.typedArrayFromHeap(info))
      for (let at = 0; at < rows.length; at++) {
        const row = rows[at]
        if (!(row >= 0 && row < x.shape[0])) {
          backend.disposeData(output.dataId)
          throw new Error(`GatherV2: the index value ${row} is not in [0, ${x.shape[0] - 1}]`) // as the backend's own
        }
        to.set(from.subarray(row * width, (row + 1) * width), at * width)
      }
      return output
    },
  }
}
