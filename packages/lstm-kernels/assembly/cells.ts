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
import { KEPT, TANH_AT } from '../src/job-fields'

/**
 * From pre-activations i, f, g, o in rows of such a pitch to the next cell and hidden states; `c` and `cNext` may be the same. The gates'
 * activations take the place of the pre-activations, and tanh c is left `tanhAt` bytes into each row.
 */
export function updateCells(
  rows: i32, gates: usize, pitch: usize, tanhAt: usize, c: usize, cPitch: usize, cNext: usize, cNextPitch: usize, h: usize, hPitch: usize, constants: usize,
): void {
  sigmoidOfRows(rows, gates, pitch, constants)
  sigmoidOfRows(rows, gates + 32, pitch, constants)
  tanhOfRows(rows, gates + 64, pitch, constants)
  sigmoidOfRows(rows, gates + 96, pitch, constants)
  nextStates(rows, gates, pitch, tanhAt, c, cPitch, cNext, cNextPitch, h, hPitch, constants)
}

function sigmoidOfRows(rows: i32, at: usize, pitch: usize, constants: usize): void {
  for (const end = at + pitch * <usize>rows; at != end; at += pitch) {
    const left = sigmoid<Left>(v128.load(at, 0), constants)
    const right = sigmoid<Right>(v128.load(at, 16), constants)
    v128.store(at, left, 0)
    v128.store(at, right, 16)
  }
}

function tanhOfRows(rows: i32, at: usize, pitch: usize, constants: usize): void {
  for (const end = at + pitch * <usize>rows; at != end; at += pitch) {
    const left = tanh<Left>(v128.load(at, 0), constants)
    const right = tanh<Right>(v128.load(at, 16), constants)
    v128.store(at, left, 0)
    v128.store(at, right, 16)
  }
}

function nextStates(
  rows: i32, gates: usize, pitch: usize, tanhAt: usize, c: usize, cPitch: usize, cNext: usize, cNextPitch: usize, h: usize, hPitch: usize, constants: usize,
): void {
  for (const end = gates + pitch * <usize>rows; gates != end; gates += pitch) {
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
    v128.store(gates + tanhAt, t0, 0)
    v128.store(gates + tanhAt, t1, 16)
    c += cPitch
    cNext += cNextPitch
    h += hPitch
  }
}

/**
 * The gradients by the pre-activations of i, f, g and o, in rows of such a pitch. With the gradient h̄ by the hidden states in rows of a
 * tile, what the forward pass kept, and the gradient c̄ by the cell states, which becomes the one by the cell states before:
 *
 *     c̄ += h̄·o·(1 − tanh²c)
 *     i̇ = c̄·g·i(1 − i)   ḟ = c̄·c_{t-1}·f(1 − f)   ġ = c̄·i·(1 − g²)   ȯ = h̄·tanh c·o(1 − o)   c̄ ← c̄·f
 */
export function gateGradients(
  rows: i32, dHidden: usize, kept: usize, cellsBefore: usize, cellsPitch: usize, dGates: usize, dGatesPitch: usize, dCells: usize, dCellsPitch: usize,
): void {
  const one = f32x4.splat(1)
  for (const end = kept + KEPT * <usize>rows; kept != end; kept += KEPT) {
    const i0 = v128.load(kept, 0)
    const f0 = v128.load(kept, 32)
    const g0 = v128.load(kept, 64)
    const o0 = v128.load(kept, 96)
    const dh0 = v128.load(dHidden, 0)
    const tc0 = v128.load(kept, TANH_AT)
    const i1 = v128.load(kept, 16)
    const f1 = v128.load(kept, 48)
    const g1 = v128.load(kept, 80)
    const o1 = v128.load(kept, 112)
    const dh1 = v128.load(dHidden, 16)
    const tc1 = v128.load(kept, TANH_AT + 16)
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
    v128.store(dGates, di0, 0)
    v128.store(dGates, di1, 16)
    v128.store(dGates, df0, 32)
    v128.store(dGates, df1, 48)
    v128.store(dGates, dg0, 64)
    v128.store(dGates, dg1, 80)
    v128.store(dGates, do0, 96)
    v128.store(dGates, do1, 112)
    dHidden += ROW
    cellsBefore += cellsPitch
    dGates += dGatesPitch
    dCells += dCellsPitch
  }
}
