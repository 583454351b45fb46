// How fast a core multiplies and adds: sums as a matrix product makes them, operands from the nearest cache. The number of independent
// sums must hide the latency of an addition; which number does, differs by processor, so the fastest counts.

// @ts-ignore: decorator
@inline
function product(at: usize, y: v128): v128 {
  return f32x4.mul(v128.load(at), y)
}

/** Eight sums of four lanes, `rounds` times: 64 floating-point operations a round. */
export function eightSums(rounds: i32): f32 {
  const y = f32x4.splat(0.5)
  let a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y
  for (let i = 0; i < rounds; i++) {
    const at = <usize>((i & 7) << 7)
    a = f32x4.add(a, product(at, y)); b = f32x4.add(b, product(at + 16, y))
    c = f32x4.add(c, product(at + 32, y)); d = f32x4.add(d, product(at + 48, y))
    e = f32x4.add(e, product(at + 64, y)); f = f32x4.add(f, product(at + 80, y))
    g = f32x4.add(g, product(at + 96, y)); h = f32x4.add(h, product(at + 112, y))
  }
  const sum = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)))
  return f32x4.extract_lane(sum, 0)
}

/** Twelve sums of four lanes that share their loads by two: 96 operations a round. */
export function twelveSums(rounds: i32): f32 {
  const y = f32x4.splat(0.5), z = f32x4.splat(0.25)
  let a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, j = y, k = y, l = y, m = y
  for (let i = 0; i < rounds; i++) {
    const at = <usize>((i & 7) << 7)
    const p = v128.load(at), q = v128.load(at + 16), r = v128.load(at + 32)
    const s = v128.load(at + 48), t = v128.load(at + 64), u = v128.load(at + 80)
    a = f32x4.add(a, f32x4.mul(p, y)); b = f32x4.add(b, f32x4.mul(p, z))
    c = f32x4.add(c, f32x4.mul(q, y)); d = f32x4.add(d, f32x4.mul(q, z))
    e = f32x4.add(e, f32x4.mul(r, y)); f = f32x4.add(f, f32x4.mul(r, z))
    g = f32x4.add(g, f32x4.mul(s, y)); h = f32x4.add(h, f32x4.mul(s, z))
    j = f32x4.add(j, f32x4.mul(t, y)); k = f32x4.add(k, f32x4.mul(t, z))
    l = f32x4.add(l, f32x4.mul(u, y)); m = f32x4.add(m, f32x4.mul(u, z))
  }
  const first = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)))
  return f32x4.extract_lane(f32x4.add(first, f32x4.add(f32x4.add(j, k), f32x4.add(l, m))), 0)
}
