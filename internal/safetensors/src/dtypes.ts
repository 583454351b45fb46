/** The array that holds the elements of each type. Types without an array type in JavaScript come as their raw bytes or bits. */
export interface ElementArrays {
  F64: Float64Array
  F32: Float32Array
  /** IEEE half precision as its 16 bits. */
  F16: Uint16Array
  /** The upper half of a float32 as its 16 bits. */
  BF16: Uint16Array
  /** Raw bytes: two float32 per element, real part first. */
  C64: Uint8Array
  F8_E4M3: Uint8Array
  F8_E5M2: Uint8Array
  F8_E8M0: Uint8Array
  F8_E4M3FNUZ: Uint8Array
  F8_E5M2FNUZ: Uint8Array
  /** Raw bytes: four elements in three of them. */
  F6_E2M3: Uint8Array
  /** Raw bytes: four elements in three of them. */
  F6_E3M2: Uint8Array
  /** Raw bytes: two elements in each. */
  F4: Uint8Array
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

/** Bits per element and the array to read into, by element type: all types that the official reader (0.8) knows. */
export const DTYPES: {
  readonly [D in SafetensorsDtype]: {
    readonly bits: number
    readonly array: new (buffer: ArrayBuffer) => ElementArrays[D]
  }
} = {
  F64: { bits: 64, array: Float64Array },
  F32: { bits: 32, array: Float32Array },
  F16: { bits: 16, array: Uint16Array },
  BF16: { bits: 16, array: Uint16Array },
  C64: { bits: 64, array: Uint8Array },
  F8_E4M3: { bits: 8, array: Uint8Array },
  F8_E5M2: { bits: 8, array: Uint8Array },
  F8_E8M0: { bits: 8, array: Uint8Array },
  F8_E4M3FNUZ: { bits: 8, array: Uint8Array },
  F8_E5M2FNUZ: { bits: 8, array: Uint8Array },
  F6_E2M3: { bits: 6, array: Uint8Array },
  F6_E3M2: { bits: 6, array: Uint8Array },
  F4: { bits: 4, array: Uint8Array },
  I64: { bits: 64, array: BigInt64Array },
  U64: { bits: 64, array: BigUint64Array },
  I32: { bits: 32, array: Int32Array },
  U32: { bits: 32, array: Uint32Array },
  I16: { bits: 16, array: Int16Array },
  U16: { bits: 16, array: Uint16Array },
  I8: { bits: 8, array: Int8Array },
  U8: { bits: 8, array: Uint8Array },
  BOOL: { bits: 8, array: Uint8Array },
}

/** Whether a value is the name of an element type. */
export function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(DTYPES, value)
}

/**
 * Bytes that a tensor takes; undefined where a product on the way passes 2^64, as in the official reader, or where
 * elements smaller than a byte do not fill the last one.
 */
export function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): bigint | undefined {
  let bits = 1n
  for (const size of [...shape, DTYPES[dtype].bits]) {
    bits *= BigInt(size)
    if (bits >= 1n << 64n) return undefined
  }
  return bits % 8n === 0n ? bits / 8n : undefined
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
