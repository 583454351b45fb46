/** The array that holds the elements of each type; F16 and BF16 come as their raw 16 bits. */
export interface ElementArrays {
  F64: Float64Array
  F32: Float32Array
  F16: Uint16Array
  BF16: Uint16Array
  I64: BigInt64Array
  U64: BigUint64Array
  I32: Int32Array
  U32: Uint32Array
  I16: Int16Array
  U16: Uint16Array
  I8: Int8Array
  U8: Uint8Array
  BOOL: Uint8Array
}

/** An element type by its name in the format. */
export type SafetensorsDtype = keyof ElementArrays

/** Bytes per element and the array to read into, by element type. */
export const DTYPES: {
  readonly [D in SafetensorsDtype]: {
    readonly bytes: number
    readonly array: new (buffer: ArrayBuffer) => ElementArrays[D]
  }
} = {
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
}

/** A tensor as the file holds it. */
export interface Safetensor<D extends SafetensorsDtype = SafetensorsDtype> {
  /** The element type. */
  readonly dtype: D
  /** Elements along each axis. */
  readonly shape: readonly number[]
  /** The elements, row-major, in memory of their own. */
  readonly data: ElementArrays[D]
}
