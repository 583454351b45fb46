import type { DataType, KernelBackend, TensorInfo, TypedArray } from '@tensorflow/tfjs-core'

/** What is there of tfjs's WASM backend. */
export interface WasmBackend extends KernelBackend {
  /** A tensor in WebAssembly's memory. That may grow, so views are taken afterwards. */
  makeOutput(shape: number[], dtype: DataType): TensorInfo
  /** A view of its values. */
  typedArrayFromHeap(info: TensorInfo): TypedArray
}
