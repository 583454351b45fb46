// A linear layer y = x·Wᵀ + b and its gradients, for the few outputs that follow an LSTM. All matrices as PyTorch lays them out.

import { fma } from './arithmetic'

/** y[n][o] = b[o] + Σ_i x[n][i]·w[o][i]; `bias` is 0 without one. */
export function linear(x: usize, weight: usize, bias: usize, y: usize, rows: i32, input: i32, output: i32): void {
  const pitch = <usize>input << 2
  const whole = <usize>(input & ~3) << 2
  for (let row = 0; row < rows; row++) {
    let w = weight
    let o = 0
    for (; o + 4 <= output; o += 4) {
      const w1 = w + pitch
      const w2 = w1 + pitch
      const w3 = w2 + pitch
      let s0 = f32x4.splat(0)
      let s1 = s0
      let s2 = s0
      let s3 = s0
      let at: usize = 0
      for (; at < whole; at += 16) {
        const v = v128.load(x + at)
        s0 = fma(v, v128.load(w + at), s0)
        s1 = fma(v, v128.load(w1 + at), s1)
        s2 = fma(v, v128.load(w2 + at), s2)
        s3 = fma(v, v128.load(w3 + at), s3)
      }
      let sums = sumsOfLanes(s0, s1, s2, s3)
      for (; at < pitch; at += 4) {
        const v = v128.load32_splat(x + at)
        const column = f32x4(load<f32>(w + at), load<f32>(w1 + at), load<f32>(w2 + at), load<f32>(w3 + at))
        sums = fma(v, column, sums)
      }
      if (bias != 0) sums = f32x4.add(sums, v128.load(bias + (<usize>o << 2)))
      v128.store(y, sums)
      y += 16
      w = w3 + pitch
    }
    for (; o < output; o++) {
      let s = f32x4.splat(0)
      let at: usize = 0
      for (; at < whole; at += 16) s = fma(v128.load(x + at), v128.load(w + at), s)
      let sum = f32x4.extract_lane(sumsOfLanes(s, s, s, s), 0)
      for (; at < pitch; at += 4) sum += load<f32>(x + at) * load<f32>(w + at)
      store<f32>(y, bias != 0 ? sum + load<f32>(bias + (<usize>o << 2)) : sum)
      y += 4
      w += pitch
    }
    x += pitch
  }
}

/** dx = dy·W, dW = dyᵀ·x, db = Σ_n dy[n]. `dX` is 0 when that is not wanted. */
export function linearBackward(
  dY: usize, x: usize, weight: usize, dX: usize, dWeight: usize, dBias: usize, rows: i32, input: i32, output: i32,
): void {
  const inputPitch = <usize>input << 2
  const outputPitch = <usize>output << 2
  if (dX != 0) {
    // dx[n] = Σ_o dy[n][o]·w[o]
    for (let row = 0; row < rows; row++) {
      const at = <usize>row
      weightedSum(dY + outputPitch * at, 4, weight, inputPitch, output, input, dX + inputPitch * at)
    }
  }
  for (let o = 0; o < output; o++) {
    // dw[o] = Σ_n dy[n][o]·x[n]
    const at = <usize>o
    weightedSum(dY + (at << 2), outputPitch, x, inputPitch, rows, input, dWeight + inputPitch * at)
    let sum: f32 = 0
    for (let row = 0; row < rows; row++) sum += load<f32>(dY + outputPitch * <usize>row + (at << 2))
    store<f32>(dBias + (at << 2), sum)
  }
}

/** to[0..columns) = Σ_k factors[k]·rows[k][0..columns) */
function weightedSum(
  factors: usize, factorStep: usize, rows: usize, rowPitch: usize, count: i32, columns: i32, to: usize,
): void {
  let column = 0
  for (; column + 16 <= columns; column += 16) {
    let s0 = f32x4.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    let factor = factors
    let row = rows + (<usize>column << 2)
    for (let k = 0; k < count; k++) {
      const f = v128.load32_splat(factor)
      s0 = fma(f, v128.load(row, 0), s0)
      s1 = fma(f, v128.load(row, 16), s1)
      s2 = fma(f, v128.load(row, 32), s2)
      s3 = fma(f, v128.load(row, 48), s3)
      factor += factorStep
      row += rowPitch
    }
    const at = to + (<usize>column << 2)
    v128.store(at, s0, 0)
    v128.store(at, s1, 16)
    v128.store(at, s2, 32)
    v128.store(at, s3, 48)
  }
  for (; column < columns; column++) {
    let sum: f32 = 0
    let factor = factors
    let row = rows + (<usize>column << 2)
    for (let k = 0; k < count; k++) {
      sum += load<f32>(factor) * load<f32>(row)
      factor += factorStep
      row += rowPitch
    }
    store<f32>(to + (<usize>column << 2), sum)
  }
}

/** The sum of the lanes of each of four vectors. */
// @ts-ignore: decorator
@inline
function sumsOfLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
}
