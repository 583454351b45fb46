import { bytesOf, decodeSafetensors, type SafetensorsFile } from '@rowwise/safetensors'

/** A file as its tensors and metadata; its bytes are decoded. */
export function readFile(caller: string, file: Uint8Array | ArrayBuffer | SafetensorsFile): SafetensorsFile {
  const { tensors, metadata } = (file ?? {}) as Partial<SafetensorsFile>
  const isDecoded = typeof tensors === 'object' && tensors !== null && typeof metadata === 'object' && metadata !== null
  return isDecoded ? { tensors, metadata } : decodeSafetensors(bytesOf(caller, file))
}
