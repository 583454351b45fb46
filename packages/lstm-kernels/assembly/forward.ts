// The forward pass of one layer in one direction, for a range of rows of the batch:
//
//     i, f, g, o = [x_t | h_{t-1}] · [W_ih | W_hh]ᵀ + b_ih + b_hh
//     c = σ(f)·c + σ(i)·tanh(g)
//     h = σ(o)·tanh(c)
//
// A block of rows goes through all time steps before the next block begins. Within a step the panels are the outer loop:
// a panel's weights stay in the first-level cache while the rows pass by.

import { sigmoid, tanh } from './activations'
import { address, ceil4, field, fma } from './arithmetic'
import { multiplyAdd, multiplyRow } from './tile'
import {
  BATCH,
  BIAS,
  C_FINAL,
  C_INITIAL,
  CELLS,
  GATE_PITCH_PADDING,
  GATES,
  H_FINAL,
  H_INITIAL,
  HIDDEN,
  INPUT,
  OUTPUT,
  REVERSE,
  ROW_BLOCK,
  SAVE,
  TIME,
  WEIGHTS,
  X,
  Z,
} from '../src/job-fields'

/** Runs rows begin … end − 1; `tile` is 128 bytes of scratch of the calling thread. */
export function forward(job: usize, begin: i32, end: i32, tile: usize): void {
  for (let row = begin; row < end; row += ROW_BLOCK) forwardBlock(job, row, min(row + ROW_BLOCK, end), tile)
}

function forwardBlock(job: usize, begin: i32, end: i32, tile: usize): void {
  const batch = field(job, BATCH)
  const time = field(job, TIME)
  const input = field(job, INPUT)
  const hidden = field(job, HIDDEN)
  const reverse = field(job, REVERSE)
  const save = field(job, SAVE)
  const inputPadded = ceil4(input)
  const hiddenPadded = ceil4(hidden)
  const depth = inputPadded + hiddenPadded
  const zPitch = <usize>depth << 2
  const zStep = zPitch * batch
  const cellPitch = <usize>hiddenPadded << 2
  const cellStep = cellPitch * batch
  const gatePitch = <usize>(hiddenPadded * 4 + GATE_PITCH_PADDING) << 2
  const gateStep = gatePitch * batch
  const z = address(job, Z) + zPitch * begin
  const cells = address(job, CELLS) + cellPitch * begin
  const gates = address(job, GATES) + gatePitch * begin
  const hiddenAt = <usize>inputPadded << 2
  const output = address(job, OUTPUT)

  startRows(address(job, H_INITIAL), begin, end, hidden, hiddenPadded, z + hiddenAt, zPitch)
  startRows(address(job, C_INITIAL), begin, end, hidden, hiddenPadded, cells, cellPitch)
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step
    const zNow = z + zStep * (save ? step : step & 1)
    const zNext = z + zStep * (save ? step + 1 : (step + 1) & 1) + hiddenAt
    const cellsNow = save ? cells + cellStep * step : cells
    const cellsNext = save ? cellsNow + cellStep : cells
    loadInputs(job, begin, end, t, zNow, zPitch, inputPadded)
    const gatesNow = gates + gateStep * step
    let weights = address(job, WEIGHTS)
    let bias = address(job, BIAS)
    for (let unit = 0; unit < hiddenPadded; unit += 4) {
      const unitAt = <usize>unit << 2
      const gateAt = <usize>unit << 4
      const b0 = v128.load(bias, 0)
      const b1 = v128.load(bias, 16)
      const b2 = v128.load(bias, 32)
      const b3 = v128.load(bias, 48)
      let a = zNow
      let h = zNext + unitAt
      let c = cellsNow + unitAt
      let cNext = cellsNext + unitAt
      let g = gatesNow + gateAt
      let row = begin
      for (; row + 2 <= end; row += 2) {
        v128.store(tile, b0, 0)
        v128.store(tile, b1, 16)
        v128.store(tile, b2, 32)
        v128.store(tile, b3, 48)
        v128.store(tile, b0, 64)
        v128.store(tile, b1, 80)
        v128.store(tile, b2, 96)
        v128.store(tile, b3, 112)
        multiplyAdd(a, a + zPitch, 4, weights, 64, depth, tile)
        updateCell(tile, c, cNext, h, g, save)
        updateCell(tile + 64, c + cellPitch, cNext + cellPitch, h + zPitch, g + gatePitch, save)
        a += zPitch * 2
        h += zPitch * 2
        c += cellPitch * 2
        cNext += cellPitch * 2
        g += gatePitch * 2
      }
      if (row < end) {
        v128.store(tile, b0, 0)
        v128.store(tile, b1, 16)
        v128.store(tile, b2, 32)
        v128.store(tile, b3, 48)
        multiplyRow(a, weights, depth, tile)
        updateCell(tile, c, cNext, h, g, save)
      }
      weights += zPitch << 4
      bias += 64
    }
    if (output != 0) storeOutput(output, begin, end, time, t, hidden, zNext, zPitch)
  }
  const zLast = z + zStep * (save ? time : time & 1) + hiddenAt
  storeRows(zLast, zPitch, begin, end, hidden, address(job, H_FINAL))
  storeRows(save ? cells + cellStep * time : cells, cellPitch, begin, end, hidden, address(job, C_FINAL))
}

/** One step of four hidden units of one row, from their pre-activations. */
// @ts-ignore: decorator
@inline
function updateCell(tile: usize, cell: usize, cellNext: usize, hidden: usize, gates: usize, save: i32): void {
  const i = sigmoid(v128.load(tile, 0))
  const f = sigmoid(v128.load(tile, 16))
  const g = tanh(v128.load(tile, 32))
  const o = sigmoid(v128.load(tile, 48))
  const c = fma(f, v128.load(cell), f32x4.mul(i, g))
  v128.store(cellNext, c)
  v128.store(hidden, f32x4.mul(o, tanh(c)))
  if (save) {
    v128.store(gates, i, 0)
    v128.store(gates, f, 16)
    v128.store(gates, g, 32)
    v128.store(gates, o, 48)
  }
}

/** Copies x_t of every row into its place in z; what fills up to a multiple of four is zero. */
function loadInputs(job: usize, begin: i32, end: i32, t: i32, z: usize, zPitch: usize, inputPadded: i32): void {
  const input = field(job, INPUT)
  const pitch = <usize>(field(job, TIME) * input) << 2
  let from = address(job, X) + pitch * begin + (<usize>(t * input) << 2)
  for (let row = begin; row < end; row++) {
    copyRow(from, z, input, inputPadded)
    from += pitch
    z += zPitch
  }
}

/** Copies `count` floats and adds zeros up to `padded`, a multiple of four. */
// @ts-ignore: decorator
@inline
function copyRow(from: usize, to: usize, count: i32, padded: i32): void {
  let k = 0
  for (; k + 4 <= count; k += 4) v128.store(to + (<usize>k << 2), v128.load(from + (<usize>k << 2)))
  for (; k < count; k++) store<f32>(to + (<usize>k << 2), load<f32>(from + (<usize>k << 2)))
  for (; k < padded; k++) store<f32>(to + (<usize>k << 2), 0)
}

/** The initial state of every row: from [N, H], or zeros. */
function startRows(from: usize, begin: i32, end: i32, hidden: i32, hiddenPadded: i32, to: usize, pitch: usize): void {
  for (let row = begin; row < end; row++) {
    if (from != 0) copyRow(from + (<usize>(row * hidden) << 2), to, hidden, hiddenPadded)
    else memory.fill(to, 0, <usize>hiddenPadded << 2)
    to += pitch
  }
}

function storeOutput(
  output: usize, begin: i32, end: i32, time: i32, t: i32, hidden: i32, from: usize, pitch: usize,
): void {
  for (let row = begin; row < end; row++) {
    copyRow(from, output + (<usize>((row * time + t) * hidden) << 2), hidden, hidden)
    from += pitch
  }
}

function storeRows(from: usize, pitch: usize, begin: i32, end: i32, hidden: i32, to: usize): void {
  for (let row = begin; row < end; row++) {
    copyRow(from, to + (<usize>(row * hidden) << 2), hidden, hidden)
    from += pitch
  }
}
