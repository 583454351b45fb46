import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { moveHere, type WasmBackend } from './backend'

/** UnsortedSegmentSum: for each segment the sum of its rows, in their order; rows of negative segments are left out. */
export const segmentSum: KernelConfig = {
  kernelName: 'UnsortedSegmentSum',
  backendName: 'wasm',
  kernelFunc: (given) => {
    const { x, segmentIds } = given.inputs as { x: TensorInfo; segmentIds: TensorInfo }
    const { numSegments } = given.attrs as unknown as { numSegments: number }
    const backend = given.backend as WasmBackend
    const shape = x.shape.slice(segmentIds.shape.length)
    const width = shape.reduce((product, size) => product * size, 1)
    moveHere(backend, [x, segmentIds])
    const output = backend.makeOutput([numSegments, ...shape], x.dtype)
    const [from, segments, sums] = [x, segmentIds, output].map((info) => backend.typedArrayFromHeap(info))
    sums.fill(0)
    for (let row = 0; row < segments.length; row++) {
      const segment = segments[row]
      if (segment < 0 || segment >= numSegments) continue
      for (let k = 0; k < width; k++) sums[segment * width + k] += from[row * width + k]
    }
    return output
  },
}
