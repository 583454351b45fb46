// (module (func (export "f") (param f32 f32 f32) (result f32)
//   (f32x4.extract_lane 0 (f32x4.relaxed_madd (f32x4.splat a) (f32x4.splat b) (f32x4.splat c)))))
const MODULE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  ...[0x01, 0x08, 0x01, 0x60, 0x03, 0x7d, 0x7d, 0x7d, 0x01, 0x7d], // type: (f32, f32, f32) -> f32
  ...[0x03, 0x02, 0x01, 0x00], // one function, of type 0
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00], // exported as "f"
  ...[0x0a, 0x16, 0x01, 0x14, 0x00], // code: one body of 20 bytes without locals
  ...[0x20, 0x00, 0xfd, 0x13, 0x20, 0x01, 0xfd, 0x13, 0x20, 0x02, 0xfd, 0x13], // each parameter splat
  ...[0xfd, 0x85, 0x02, 0xfd, 0x1f, 0x00, 0x0b], // f32x4.relaxed_madd, extract_lane 0
]

/**
 * Whether relaxed SIMD's multiply-add rounds once here, as V8's does on processors with FMA, or twice, as JavaScriptCore's does. Twice
 * gives other bits and no speed.
 */
export function fusesMultiplyAdd(): boolean {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(MODULE)))
  const multiplyAdd = exports.f as (a: number, b: number, c: number) => number
  const a = 1 + 2 ** -12 // a² = 1 + 2⁻¹¹ + 2⁻²⁴, whose last term the rounding of the product drops
  return multiplyAdd(a, a, -(1 + 2 ** -11)) !== 0
}
