// What a step does with the pre-activations of eight hidden units, for some rows:
//
//     c = σ(f)·c + σ(i)·tanh(g)
//     h = σ(o)·tanh(c)
//
// One function at a time for all rows, in loops so short that everything fits into the registers, and of which several turns are under
// way at once: a turn for all gates of a row waits for its own results (measured: a quarter slower).

import { Left, Right, sigmoid, tanh } from './activations'
import { fma, fnma } from './arithmetic'
import { ROW } from './tile'

/**
 * From pre-activations i, f, g, o in rows of a tile to the next cell and hidden states; `c` and `cNext` may be the same. The gates'
 * activations are left in `gates`, which may be the tile itself, and tanh c in `tanhC`, at the same pitch.
 */
export function updateCells(
  rows: i32, tile: usize, gates: usize, tanhC: usize, gatePitch: usize, c: usize, cNext: usize, cPitch: usize, h: usize, hPitch: usize, constants: usize,
): void {
  sigmoidOfRows(rows, tile, gates, gatePitch, constants)
  sigmoidOfRows(rows, tile + 32, gates + 32, gatePitch, constants)
  tanhOfRows(rows, tile + 64, gates + 64, gatePitch, constants)
  sigmoidOfRows(rows, tile + 96, gates + 96, gatePitch, constants)
  nextStates(rows, gates, tanhC, gatePitch, c, cNext, cPitch, h, hPitch, constants)
}

function sigmoidOfRows(rows: i32, from: usize, to: usize, toPitch: usize, constants: usize): void {
  for (const end = from + ROW * <usize>rows; from != end; from += ROW) {
    const left = sigmoid<Left>(v128.load(from, 0), constants)
    const right = sigmoid<Right>(v128.load(from, 16), constants)
    v128.store(to, left, 0)
    v128.store(to, right, 16)
    to += toPitch
  }
}

function tanhOfRows(rows: i32, from: usize, to: usize, toPitch: usize, constants: usize): void {
  for (const end = from + ROW * <usize>rows; from != end; from += ROW) {
    const left = tanh<Left>(v128.load(from, 0), constants)
    const right = tanh<Right>(v128.load(from, 16), constants)
    v128.store(to, left, 0)
    v128.store(to, right, 16)
    to += toPitch
  }
}

function nextStates(
  rows: i32, gates: usize, tanhC: usize, gatePitch: usize, c: usize, cNext: usize, cPitch: usize, h: usize, hPitch: usize, constants: usize,
): void {
  for (const end = gates + gatePitch * <usize>rows; gates != end; gates += gatePitch) {
    const c0 = fma(v128.load(gates, 32), v128.load(c, 0), f32x4.mul(v128.load(gates, 0), v128.load(gates, 64)))
    const c1 = fma(v128.load(gates, 48), v128.load(c, 16), f32x4.mul(v128.load(gates, 16), v128.load(gates, 80)))
    const t0 = tanh<Left>(c0, constants)
    const t1 = tanh<Right>(c1, constants)
    const h0 = f32x4.mul(v128.load(gates, 96), t0)
    const h1 = f32x4.mul(v128.load(gates, 112), t1)
    v128.store(cNext, c0, 0)
    v128.store(cNext, c1, 16)
    v128.store(h, h0, 0)
    v128.store(h, h1, 16)
    v128.store(tanhC, t0, 0)
    v128.store(tanhC, t1, 16)
    tanhC += gatePitch
    c += cPitch
    cNext += cPitch
    h += hPitch
  }
}

/**
 * Turns gate activations into gradients by pre-activations. With the gradient h̄ by the hidden states in rows of a tile, and c̄ by the cell
 * states, which becomes the one by the cell states before:
 *
 *     c̄ += h̄·o·(1 − tanh²c)
 *     i̇ = c̄·g·i(1 − i)   ḟ = c̄·c_{t-1}·f(1 − f)   ġ = c̄·i·(1 − g²)   ȯ = h̄·tanh c·o(1 − o)   c̄ ← c̄·f
 */
export function gateGradients(
  rows: i32, dHidden: usize, gates: usize, tanhC: usize, gatePitch: usize, cellsBefore: usize, dCells: usize, cellPitch: usize,
): void {
  const one = f32x4.splat(1)
  for (const end = gates + gatePitch * <usize>rows; gates != end; gates += gatePitch) {
    const i0 = v128.load(gates, 0)
    const f0 = v128.load(gates, 32)
    const g0 = v128.load(gates, 64)
    const o0 = v128.load(gates, 96)
    const dh0 = v128.load(dHidden, 0)
    const tc0 = v128.load(tanhC, 0)
    const i1 = v128.load(gates, 16)
    const f1 = v128.load(gates, 48)
    const g1 = v128.load(gates, 80)
    const o1 = v128.load(gates, 112)
    const dh1 = v128.load(dHidden, 16)
    const tc1 = v128.load(tanhC, 16)
    const dc0 = fma(f32x4.mul(dh0, o0), fnma(tc0, tc0, one), v128.load(dCells, 0))
    const dc1 = fma(f32x4.mul(dh1, o1), fnma(tc1, tc1, one), v128.load(dCells, 16))
    const di0 = f32x4.mul(f32x4.mul(dc0, g0), fnma(i0, i0, i0))
    const di1 = f32x4.mul(f32x4.mul(dc1, g1), fnma(i1, i1, i1))
    const df0 = f32x4.mul(f32x4.mul(dc0, v128.load(cellsBefore, 0)), fnma(f0, f0, f0))
    const df1 = f32x4.mul(f32x4.mul(dc1, v128.load(cellsBefore, 16)), fnma(f1, f1, f1))
    const dg0 = f32x4.mul(f32x4.mul(dc0, i0), fnma(g0, g0, one))
    const dg1 = f32x4.mul(f32x4.mul(dc1, i1), fnma(g1, g1, one))
    const do0 = f32x4.mul(f32x4.mul(dh0, tc0), fnma(o0, o0, o0))
    const do1 = f32x4.mul(f32x4.mul(dh1, tc1), fnma(o1, o1, o1))
    v128.store(dCells, f32x4.mul(dc0, f0), 0)
    v128.store(dCells, f32x4.mul(dc1, f1), 16)
    v128.store(gates, di0, 0)
    v128.store(gates, di1, 16)
    v128.store(gates, df0, 32)
    v128.store(gates, df1, 48)
    v128.store(gates, dg0, 64)
    v128.store(gates, dg1, 80)
    v128.store(gates, do0, 96)
    v128.store(gates, do1, 112)
    dHidden += ROW
    tanhC += gatePitch
    cellsBefore += cellPitch
    dCells += cellPitch
  }
}
