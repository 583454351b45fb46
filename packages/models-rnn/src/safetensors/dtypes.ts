/** The element types of the format that can be read; F16 and BF16 come as their raw 16 bits. */
export const DTYPES = {
  F64: { bytes: 8, array: Float64Array },
  F32: { bytes: 4, array: Float32Array },
  F16: { bytes: 2, array: Uint16Array },
  BF16: { bytes: 2, array: Uint16Array },
  I64: { bytes: 8, array: BigInt64Array },
  U64: { bytes: 8, array: BigUint64Array },
  I32: { bytes: 4, array: Int32Array },
  U32: { bytes: 4, array: Uint32Array },
  I16: { bytes: 2, array: Int16Array },
  U16: { bytes: 2, array: Uint16Array },
  I8: { bytes: 1, array: Int8Array },
  U8: { bytes: 1, array: Uint8Array },
  BOOL: { bytes: 1, array: Uint8Array },
} as const

/** An element type by its name in the format. */
export type SafetensorsDtype = keyof typeof DTYPES

/** A tensor as the file holds it. */
export interface Safetensor<D extends SafetensorsDtype = SafetensorsDtype> {
  readonly dtype: D
  readonly shape: readonly number[]
  /** The elements, row-major, in memory of their own. */
  readonly data: InstanceType<(typeof DTYPES)[D]['array']>
}
