// The forward pass of one layer in one direction, for a range of rows of the batch:
//
//     i, f, g, o = [x_t | h_{t-1}] · [W_ih | W_hh]ᵀ + b_ih + b_hh
//     c = σ(f)·c + σ(i)·tanh(g)
//     h = σ(o)·tanh(c)
//
// A block of rows goes through all time steps before the next block begins. Within a step the panels are the outer loop:
// a panel's weights stay in the first-level cache while the rows pass by.

import { copyConstants, Left, Right, sigmoid, tanh } from './activations'
import { address, ceil4, ceil8, field, fma } from './arithmetic'
import { multiplySome, ROW, TILE } from './tile'
import {
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

/** Runs rows begin … end − 1; `tile` is scratch of the calling thread: a tile, then constants. */
export function forward(job: usize, begin: i32, end: i32, tile: usize): void {
  copyConstants(tile + TILE)
  for (let row = begin; row < end; row += ROW_BLOCK) forwardBlock(job, row, min(row + ROW_BLOCK, end), tile)
}

function forwardBlock(job: usize, begin: i32, end: i32, tile: usize): void {
  const rows = end - begin
  const time = field(job, TIME)
  const input = field(job, INPUT)
  const hidden = field(job, HIDDEN)
  const reverse = field(job, REVERSE)
  const save = field(job, SAVE)
  const inputPadded = ceil4(input)
  const hiddenPadded = ceil8(hidden)
  const depth = inputPadded + hiddenPadded
  const zPitch = <usize>depth << 2
  const zStep = zPitch * rows
  const cellPitch = <usize>hiddenPadded << 2
  const cellStep = cellPitch * rows
  const gatePitch = <usize>(hiddenPadded * 4 + GATE_PITCH_PADDING) << 2
  const gateStep = gatePitch * rows
  // What is kept of a block lies together, step after step.
  const z = address(job, Z) + zPitch * <usize>(begin * (save ? time + 1 : 2))
  const cells = address(job, CELLS) + cellPitch * <usize>(begin * (save ? time + 1 : 1))
  const gates = address(job, GATES) + gatePitch * <usize>(begin * time)
  const hiddenAt = <usize>inputPadded << 2
  const output = address(job, OUTPUT)
  const constants = tile + TILE

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
    for (let unit = 0; unit < hiddenPadded; unit += 8) {
      const unitAt = <usize>unit << 2
      let a = zNow
      let h = zNext + unitAt
      let c = cellsNow + unitAt
      let cNext = cellsNext + unitAt
      let g = gatesNow + (<usize>unit << 4)
      for (let row = 0; row < rows; ) {
        const some = multiplySome(rows - row, a, zPitch, 4, weights, ROW, depth, bias, 0, tile)
        let sums = tile
        for (const last = row + some; row < last; row++) {
          updateCells(sums, constants, c, cNext, h, g, save)
          sums += ROW
          h += zPitch
          c += cellPitch
          cNext += cellPitch
          g += gatePitch
        }
        a += zPitch * <usize>some
      }
      weights += zPitch << 5
      bias += ROW
    }
    if (output != 0) storeOutput(output, begin, end, time, t, hidden, zNext, zPitch)
  }
  const zLast = z + zStep * (save ? time : time & 1) + hiddenAt
  storeRows(zLast, zPitch, begin, end, hidden, address(job, H_FINAL))
  storeRows(save ? cells + cellStep * time : cells, cellPitch, begin, end, hidden, address(job, C_FINAL))
}

/** One step of a panel's eight hidden units of one row, from their pre-activations. */
// @ts-ignore: decorator
@inline
function updateCells(
  tile: usize, constants: usize, cells: usize, cellsNext: usize, hidden: usize, gates: usize, save: i32,
): void {
  if (save) updateAndKeep(tile, constants, cells, cellsNext, hidden, gates)
  else update(tile, constants, cells, cellsNext, hidden)
}

function update(tile: usize, constants: usize, cells: usize, cellsNext: usize, hidden: usize): void {
  const c0 = nextCell<Left>(tile, cells, constants)
  const c1 = nextCell<Right>(tile, cells, constants)
  const h0 = f32x4.mul(sigmoid<Left>(v128.load(tile, 96), constants), tanh<Left>(c0, constants))
  const h1 = f32x4.mul(sigmoid<Right>(v128.load(tile, 112), constants), tanh<Right>(c1, constants))
  v128.store(cellsNext, c0, 0)
  v128.store(cellsNext, c1, 16)
  v128.store(hidden, h0, 0)
  v128.store(hidden, h1, 16)
}

// @ts-ignore: decorator
@inline
function nextCell<Side>(tile: usize, cells: usize, constants: usize): v128 {
  const i = sigmoid<Side>(v128.load(tile, offsetof<Side>()), constants)
  const f = sigmoid<Side>(v128.load(tile, 32 + offsetof<Side>()), constants)
  const g = tanh<Side>(v128.load(tile, 64 + offsetof<Side>()), constants)
  return fma(f, v128.load(cells, offsetof<Side>()), f32x4.mul(i, g))
}

/** The same; the gates' activations are kept for the backward pass. */
function updateAndKeep(
  tile: usize, constants: usize, cells: usize, cellsNext: usize, hidden: usize, gates: usize,
): void {
  const i0 = sigmoid<Left>(v128.load(tile, 0), constants)
  const i1 = sigmoid<Right>(v128.load(tile, 16), constants)
  const f0 = sigmoid<Left>(v128.load(tile, 32), constants)
  const f1 = sigmoid<Right>(v128.load(tile, 48), constants)
  const g0 = tanh<Left>(v128.load(tile, 64), constants)
  const g1 = tanh<Right>(v128.load(tile, 80), constants)
  const o0 = sigmoid<Left>(v128.load(tile, 96), constants)
  const o1 = sigmoid<Right>(v128.load(tile, 112), constants)
  const c0 = fma(f0, v128.load(cells, 0), f32x4.mul(i0, g0))
  const c1 = fma(f1, v128.load(cells, 16), f32x4.mul(i1, g1))
  const h0 = f32x4.mul(o0, tanh<Left>(c0, constants))
  const h1 = f32x4.mul(o1, tanh<Right>(c1, constants))
  v128.store(gates, i0, 0)
  v128.store(gates, i1, 16)
  v128.store(gates, f0, 32)
  v128.store(gates, f1, 48)
  v128.store(gates, g0, 64)
  v128.store(gates, g1, 80)
  v128.store(gates, o0, 96)
  v128.store(gates, o1, 112)
  v128.store(cellsNext, c0, 0)
  v128.store(cellsNext, c1, 16)
  v128.store(hidden, h0, 0)
  v128.store(hidden, h1, 16)
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
