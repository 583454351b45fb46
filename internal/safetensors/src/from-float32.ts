import type { ElementArrays } from './dtypes'

/** The element types that weights of float32 are written in. */
export type WrittenDtype = 'F16' | 'BF16' | 'F32'

/**
 * Float32 values in another element type, rounded to the nearest, ties to even, as `tensor.to(torch.bfloat16)` does; NaN stays NaN, and what
 * is too large for F16 becomes infinite. Values that stay float32 are not copied.
 *
 * @example
 * ```ts
 * fromFloat32('F16', Float32Array.of(1)) // Uint16Array [0x3c00]
 * ```
 */
export function fromFloat32<D extends WrittenDtype>(dtype: D, values: Float32Array): ElementArrays[D] {
  if (dtype === 'F32') return values as ElementArrays[D]
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  return Uint16Array.from(bits, dtype === 'F16' ? singleToHalf : singleToBfloat) as ElementArrays[D]
}

function singleToBfloat(bits: number): number {
  return isNaNBits(bits) ? (bits >>> 16) | 0x40 : Math.floor((bits + 0x7fff + ((bits >>> 16) & 1)) / 0x10000)
}

/** 1 sign, 8 exponent and 23 fraction bits → 1, 5 and 10. */
function singleToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  if (isNaNBits(bits)) return sign | 0x7e00
  const exponent = ((bits >>> 23) & 0xff) - 127
  const fraction = bits & 0x7fffff
  if (exponent > 15) return sign | 0x7c00
  if (exponent < -25) return sign
  // Below 2⁻¹⁴ a half is fraction · 2⁻²⁴. A carry out of the fraction goes on into the exponent, up to infinity.
  const shift = exponent < -14 ? -exponent - 1 : 13
  const whole = exponent < -14 ? fraction | 0x800000 : ((exponent + 15) << 23) | fraction
  return sign + shiftToEven(whole, shift)
}

/** value · 2⁻ˢʰⁱᶠᵗ, rounded to the nearest, ties to even. */
function shiftToEven(value: number, shift: number): number {
  const kept = value >>> shift
  const rest = value - kept * 2 ** shift
  const half = 2 ** (shift - 1)
  return rest > half || (rest === half && kept % 2 === 1) ? kept + 1 : kept
}

function isNaNBits(bits: number): boolean {
  return (bits & 0x7fffffff) > 0x7f800000
}
