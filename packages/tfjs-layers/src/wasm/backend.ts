import type { DataType, KernelBackend, TensorInfo, TypedArray } from '@tensorflow/tfjs-core'

/** What is there of tfjs's WASM backend. */
export interface WasmBackend extends KernelBackend {
  /** A tensor in WebAssembly's memory. That may grow, so views are taken afterwards. */
  makeOutput(shape: number[], dtype: DataType): TensorInfo
  /** A view of its values. */
  typedArrayFromHeap(info: TensorInfo): TypedArray
  /** Where its tensors are. Asked for one of another backend, it has that moved here. */
  dataIdMap: { get(dataId: object): unknown }
}

/** Moves what another backend holds to this one, before views are taken: the memory may grow for it. */
export function moveHere(backend: WasmBackend, tensors: readonly TensorInfo[]): void {
  for (const { dataId } of tensors) backend.dataIdMap.get(dataId)
}
