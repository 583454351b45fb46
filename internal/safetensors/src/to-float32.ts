import type { ElementArrays } from './dtypes'

/** The element types that are floats of at least 16 bits: those that a network's weights are kept in. */
export type FloatDtype = 'F16' | 'BF16' | 'F32' | 'F64'

/**
 * The values of floats as float32: exact from F16 and BF16 (subnormals, infinities and the bits of NaN included), rounded to
 * the nearest from F64. Values that are float32 already are not copied.
 *
 * @example
 * ```ts
 * toFloat32('F16', Uint16Array.of(0x3c00)) // Float32Array [1]
 * ```
 */
export function toFloat32<D extends FloatDtype>(dtype: D, data: ElementArrays[D]): Float32Array {
  if (dtype === 'F16') return fromBits(data as Uint16Array, halfToSingle)
  if (dtype === 'BF16') return fromBits(data as Uint16Array, (bits) => bits << 16)
  return dtype === 'F32' ? (data as Float32Array) : new Float32Array(data as Float64Array)
}

function fromBits(halves: Uint16Array, toSingle: (bits: number) => number): Float32Array {
  const singles = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) singles[i] = toSingle(halves[i])
  return new Float32Array(singles.buffer)
}

/** 1 sign, 5 exponent and 10 fraction bits → 1, 8 and 23. */
function halfToSingle(bits: number): number {
  const sign = (bits & 0x8000) << 16
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 127 - 15) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // Subnormal: fraction · 2⁻²⁴, which float32 holds as a normal number once the leading one is shifted to bit 10.
  const shift = Math.clz32(fraction) - 21
  return sign | ((127 - 14 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)
}
