// The backward pass of one layer in one direction, for one slice of the batch. With ġ the gradient by the gates'
// pre-activations, from the last step to the first:
//
//     h̄ = ġ_{t+1}·W_hh + upstream           c̄ += h̄·o·(1 − tanh²c)
//     i̇ = c̄·g·i(1 − i)   ḟ = c̄·c_{t-1}·f(1 − f)   ġ = c̄·i·(1 − g²)   ȯ = h̄·tanh c·o(1 − o)   c̄ ← c̄·f
//
// The gates' gradients take the place of the gates. The weight gradients are summed step by step, while a step's gate
// gradients are still in the cache: dW += ġ_tᵀ·[x_t | h_{t-1}].

import { tanh } from './activations'
import { address, ceil4, field, fma } from './arithmetic'
import { multiplyAdd, multiplyRow } from './tile'
import {
  BATCH,
  CELLS,
  D_C_FINAL,
  D_C_INITIAL,
  D_CELLS,
  D_H_FINAL,
  D_H_INITIAL,
  D_OUTPUT,
  D_WEIGHTS,
  D_WEIGHTS_STRIDE,
  GATE_PITCH_PADDING,
  GATES,
  HIDDEN,
  INPUT,
  REVERSE,
  ROW_BLOCK,
  TIME,
  WEIGHTS_HH_T,
  Z,
} from '../src/job-fields'

/** Runs rows begin … end − 1 and leaves their weight gradients in region `slice`. */
export function backward(job: usize, begin: i32, end: i32, slice: i32, tile: usize): void {
  const hiddenPadded = ceil4(field(job, HIDDEN))
  const depth = ceil4(field(job, INPUT)) + hiddenPadded
  const dWeights = address(job, D_WEIGHTS) + <usize>field(job, D_WEIGHTS_STRIDE) * slice
  memory.fill(dWeights, 0, <usize>((depth + 2) * hiddenPadded) << 4)
  for (let row = begin; row < end; row += ROW_BLOCK) backwardBlock(job, row, min(row + ROW_BLOCK, end), dWeights, tile)
}

function backwardBlock(job: usize, begin: i32, end: i32, dWeights: usize, tile: usize): void {
  const batch = field(job, BATCH)
  const time = field(job, TIME)
  const hidden = field(job, HIDDEN)
  const reverse = field(job, REVERSE)
  const hiddenPadded = ceil4(hidden)
  const inputPadded = ceil4(field(job, INPUT))
  const depth = inputPadded + hiddenPadded
  const zPitch = <usize>depth << 2
  const zStep = zPitch * batch
  const cellPitch = <usize>hiddenPadded << 2
  const cellStep = cellPitch * batch
  const gatePitch = <usize>(hiddenPadded * 4 + GATE_PITCH_PADDING) << 2
  const gateStep = gatePitch * batch
  const rows = end - begin
  const z = address(job, Z) + zPitch * begin
  const cells = address(job, CELLS) + cellPitch * begin
  const gates = address(job, GATES) + gatePitch * begin
  const dCells = address(job, D_CELLS) + cellPitch * begin
  const dOutput = address(job, D_OUTPUT)
  const dHFinal = address(job, D_H_FINAL)
  const rowLength = <usize>hidden << 2

  startCells(address(job, D_C_FINAL), begin, end, hidden, hiddenPadded, dCells, cellPitch)
  for (let step = time - 1; step >= 0; step--) {
    const t = reverse ? time - 1 - step : step
    const isLast = step == time - 1
    const gatesNow = gates + gateStep * step
    const gatesNext = gatesNow + gateStep
    const cellsNow = cells + cellStep * step
    // Upstream gradients by this step's hidden state lie in rows of H floats; 0 where there are none.
    const upstreamPitch = dOutput != 0 ? rowLength * time : 0
    const upstream = dOutput != 0 ? dOutput + upstreamPitch * begin + rowLength * t : 0
    const final = isLast && dHFinal != 0 ? dHFinal + rowLength * begin : 0
    let weights = address(job, WEIGHTS_HH_T)
    for (let first = 0; first < hidden; first += 16) {
      for (let row = 0; row < rows; row += 2) {
        const two = row + 1 < rows
        clearTile(tile)
        if (!isLast) {
          const a = gatesNext + gatePitch * row
          if (two) multiplyAdd(a, a + gatePitch, 4, weights, 64, hiddenPadded * 4, tile)
          else multiplyRow(a, weights, hiddenPadded * 4, tile)
        }
        for (let r = row; r < row + (two ? 2 : 1); r++) {
          const sums = tile + (<usize>(r - row) << 6)
          if (upstream != 0) addRow(sums, upstream + upstreamPitch * r, first, hidden)
          if (final != 0) addRow(sums, final + rowLength * r, first, hidden)
          for (let unit = first; unit < min(first + 16, hiddenPadded); unit += 4) {
            const unitAt = <usize>unit << 2
            const cell = cellsNow + cellPitch * r + unitAt
            const dCell = dCells + cellPitch * r + unitAt
            gateGradients(sums + (<usize>(unit - first) << 2), gatesNow + gatePitch * r + (<usize>unit << 4), cell, cell + cellStep, dCell)
          }
        }
      }
      weights += <usize>hiddenPadded << 8
    }
    addWeightGradients(z + zStep * step, zPitch, gatesNow, gatePitch, rows, depth, hiddenPadded, dWeights, tile)
  }
  finishStates(job, begin, end, gates, gatePitch, dCells, cellPitch, tile)
}

/** Turns four units' gate activations of one row into gradients by their pre-activations. */
// @ts-ignore: decorator
@inline
function gateGradients(dHidden: usize, gates: usize, cellBefore: usize, cellAfter: usize, dCell: usize): void {
  const one = f32x4.splat(1)
  const i = v128.load(gates, 0)
  const f = v128.load(gates, 16)
  const g = v128.load(gates, 32)
  const o = v128.load(gates, 48)
  const dh = v128.load(dHidden)
  const tc = tanh(v128.load(cellAfter))
  const dc = fma(f32x4.mul(dh, o), f32x4.sub(one, f32x4.mul(tc, tc)), v128.load(dCell))
  v128.store(dCell, f32x4.mul(dc, f))
  const di = f32x4.mul(f32x4.mul(dc, g), f32x4.mul(i, f32x4.sub(one, i)))
  const df = f32x4.mul(f32x4.mul(dc, v128.load(cellBefore)), f32x4.mul(f, f32x4.sub(one, f)))
  const dg = f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g)))
  const dOut = f32x4.mul(f32x4.mul(dh, tc), f32x4.mul(o, f32x4.sub(one, o)))
  v128.store(gates, di, 0)
  v128.store(gates, df, 16)
  v128.store(gates, dg, 32)
  v128.store(gates, dOut, 48)
}

/** dWeights[panel][k] += Σ_row z[row][k] · ġ[row][panel], and the bias's row, which is the plain sum of ġ. */
function addWeightGradients(
  z: usize, zPitch: usize, gates: usize, gatePitch: usize, rows: i32, depth: i32, hiddenPadded: i32, dWeights: usize, tile: usize,
): void {
  for (let unit = 0; unit < hiddenPadded; unit += 4) {
    const panel = gates + (<usize>unit << 4)
    for (let k = 0; k < depth; k += 2) {
      const column = z + (<usize>k << 2)
      multiplyAdd(column, column + 4, zPitch, panel, gatePitch, rows, dWeights)
      dWeights += 128
    }
    let s0 = v128.load(dWeights, 0)
    let s1 = v128.load(dWeights, 16)
    let s2 = v128.load(dWeights, 32)
    let s3 = v128.load(dWeights, 48)
    let g = panel
    for (let row = 0; row < rows; row++) {
      s0 = f32x4.add(s0, v128.load(g, 0))
      s1 = f32x4.add(s1, v128.load(g, 16))
      s2 = f32x4.add(s2, v128.load(g, 32))
      s3 = f32x4.add(s3, v128.load(g, 48))
      g += gatePitch
    }
    v128.store(dWeights, s0, 0)
    v128.store(dWeights, s1, 16)
    v128.store(dWeights, s2, 32)
    v128.store(dWeights, s3, 48)
    dWeights += 128 // the row after the bias's is unused: regions of an even number of rows
  }
}

// @ts-ignore: decorator
@inline
function clearTile(tile: usize): void {
  const zero = f32x4.splat(0)
  for (let at: usize = 0; at < 128; at += 16) v128.store(tile + at, zero)
}

/** sums[0..15] += from[first..first+15], where that is inside the H floats of the row. */
function addRow(sums: usize, from: usize, first: i32, hidden: i32): void {
  const count = min(16, hidden - first)
  from += <usize>first << 2
  let k = 0
  for (; k + 4 <= count; k += 4) {
    const at = <usize>k << 2
    v128.store(sums + at, f32x4.add(v128.load(sums + at), v128.load(from + at)))
  }
  for (; k < count; k++) {
    const at = <usize>k << 2
    store<f32>(sums + at, load<f32>(sums + at) + load<f32>(from + at))
  }
}

function startCells(from: usize, begin: i32, end: i32, hidden: i32, hiddenPadded: i32, to: usize, pitch: usize): void {
  for (let row = begin; row < end; row++) {
    memory.fill(to, 0, <usize>hiddenPadded << 2)
    if (from != 0) memory.copy(to, from + (<usize>(row * hidden) << 2), <usize>hidden << 2)
    to += pitch
  }
}

/** The gradients by the initial states, where they are wanted. */
function finishStates(
  job: usize, begin: i32, end: i32, gates: usize, gatePitch: usize, dCells: usize, cellPitch: usize, tile: usize,
): void {
  const hidden = field(job, HIDDEN)
  const dHInitial = address(job, D_H_INITIAL)
  const dCInitial = address(job, D_C_INITIAL)
  const rowLength = <usize>hidden << 2
  if (dHInitial != 0) multiplyGates(gates, gatePitch, begin, end, address(job, WEIGHTS_HH_T), hidden, ceil4(hidden), dHInitial, rowLength, tile)
  if (dCInitial == 0) return
  for (let row = begin; row < end; row++) {
    memory.copy(dCInitial + rowLength * row, dCells + cellPitch * (row - begin), rowLength)
  }
}

/** to[row][0..columns] = ġ[row]·W for rows begin … end − 1; `gates` is at row `begin`, `to` at row 0. */
// @ts-ignore: decorator
@inline
export function multiplyGates(
  gates: usize, gatePitch: usize, begin: i32, end: i32, weights: usize, columns: i32, hiddenPadded: i32, to: usize, toPitch: usize, tile: usize,
): void {
  for (let first = 0; first < columns; first += 16) {
    const bytes = <usize>min(16, columns - first) << 2
    let at = to + toPitch * begin + (<usize>first << 2)
    let a = gates
    for (let row = begin; row < end; row += 2) {
      clearTile(tile)
      if (row + 1 < end) {
        multiplyAdd(a, a + gatePitch, 4, weights, 64, hiddenPadded * 4, tile)
        memory.copy(at + toPitch, tile + 64, bytes)
      } else multiplyRow(a, weights, hiddenPadded * 4, tile)
      memory.copy(at, tile, bytes)
      at += toPitch * 2
      a += gatePitch * 2
    }
    weights += <usize>hiddenPadded << 8
  }
}
