/**
 * One Adam step on `count` floats, a multiple of four: the arithmetic of `adamUpdate` in src/optimizers/adam-update.ts, operation
 * by operation, so that both give the same bits. Addresses in bytes.
 */
export function adamUpdate(
  theta: usize, gradient: usize, m: usize, v: usize, count: i32,
  beta1: f32, beta2: f32, oneMinusBeta1: f32, oneMinusBeta2: f32, stepSize: f32, rootCorrection: f32, eps: f32, lambda: f32,
): void {
  const b1 = f32x4.splat(beta1)
  const b2 = f32x4.splat(beta2)
  const c1 = f32x4.splat(oneMinusBeta1)
  const c2 = f32x4.splat(oneMinusBeta2)
  const size = f32x4.splat(stepSize)
  const correction = f32x4.splat(rootCorrection)
  const epsilon = f32x4.splat(eps)
  const decay = f32x4.splat(lambda)
  const end = theta + (<usize>count << 2)
  for (; theta < end; theta += 16, gradient += 16, m += 16, v += 16) {
    const t = v128.load(theta)
    let g = v128.load(gradient)
    if (lambda != 0) g = f32x4.add(g, f32x4.mul(decay, t))
    const mNext = f32x4.add(f32x4.mul(b1, v128.load(m)), f32x4.mul(c1, g))
    const vNext = f32x4.add(f32x4.mul(b2, v128.load(v)), f32x4.mul(f32x4.mul(c2, g), g))
    v128.store(m, mNext)
    v128.store(v, vNext)
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(vNext), correction), epsilon)
    v128.store(theta, f32x4.add(t, f32x4.div(f32x4.mul(size, mNext), denominator)))
  }
}
