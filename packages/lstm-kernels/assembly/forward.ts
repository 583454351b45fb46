// The forward pass of one layer in one direction, for a range of rows of the batch:
//
//     i, f, g, o = [x_t | h_{t-1}] · [W_ih | W_hh]ᵀ + b_ih + b_hh
//     c = σ(f)·c + σ(i)·tanh(g)
//     h = σ(o)·tanh(c)
//
// A block of rows goes through all time steps before the next block begins. Within a step the panels are the outer loop:
// a panel's weights stay in the first-level cache while the rows pass by.

import { copyConstants } from './activations'
import { address, ceil4, ceil8, field } from './arithmetic'
import { updateCells } from './cells'
import { multiplyRows, ROW, TILE } from './tile'
import {
  BIAS,
  C_FINAL,
  C_INITIAL,
  CELL_AT,
  CELLS,
  GATES,
  H_FINAL,
  H_INITIAL,
  HIDDEN,
  INPUT,
  KEPT,
  OUTPUT,
  REVERSE,
  ROW_BLOCK,
  SAVE,
  TANH_AT,
  TIME,
  WEIGHTS,
  X,
  Z,
} from '../src/job-fields'

/**
 * Runs rows begin … end − 1. What is not kept lies in the room of row `room` and the next ones, as many as a block has, which no other thread
 * uses at the time; `tile` is scratch of the calling thread: a block's sums, then constants.
 */
export function forward(job: usize, begin: i32, end: i32, room: i32, tile: usize): void {
  copyConstants(tile + TILE)
  for (let row = begin; row < end; row += ROW_BLOCK) forwardBlock(job, row, min(row + ROW_BLOCK, end), room, tile)
}

function forwardBlock(job: usize, begin: i32, end: i32, room: i32, tile: usize): void {
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
  // What is kept of a block lies together; of eight hidden units step after step.
  const stepBytes = KEPT * <usize>rows
  const panelBytes = stepBytes * <usize>time
  const kept = address(job, GATES) + KEPT * <usize>(begin * time * (hiddenPadded >> 3))
  const z = address(job, Z) + zPitch * <usize>(save ? begin * (time + 1) : room * 2)
  const cells = address(job, CELLS) + cellPitch * <usize>(save ? begin : room)
  const hiddenAt = <usize>inputPadded << 2
  const output = address(job, OUTPUT)
  const constants = tile + TILE
  const startsFromState = address(job, H_INITIAL) != 0

  startRows(address(job, H_INITIAL), begin, end, hidden, hiddenPadded, z + hiddenAt, zPitch)
  startRows(address(job, C_INITIAL), begin, end, hidden, hiddenPadded, cells, cellPitch)
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step
    const zNow = z + zStep * (save ? step : step & 1)
    const zNext = z + zStep * (save ? step + 1 : (step + 1) & 1) + hiddenAt
    loadInputs(job, begin, end, t, zNow, zPitch, inputPadded)
    // A hidden state of zeros adds nothing to the first step.
    const terms = step == 0 && !startsFromState ? inputPadded : depth
    let weights = address(job, WEIGHTS)
    let bias = address(job, BIAS)
    let gates = kept + stepBytes * <usize>step
    for (let unit = 0; unit < hiddenPadded; unit += 8) {
      const c = cells + (<usize>unit << 2)
      const h = zNext + (<usize>unit << 2)
      if (save) {
        const cBefore = step == 0 ? c : gates - stepBytes + CELL_AT
        multiplyRows(rows, zNow, zPitch, weights, terms, bias, gates, KEPT)
        updateCells(rows, gates, KEPT, TANH_AT, cBefore, step == 0 ? cellPitch : KEPT, gates + CELL_AT, KEPT, h, zPitch, constants)
      } else {
        multiplyRows(rows, zNow, zPitch, weights, terms, bias, tile, ROW)
        updateCells(rows, tile, ROW, 0, c, cellPitch, c, cellPitch, h, zPitch, constants)
      }
      gates += panelBytes
      weights += zPitch << 5
      bias += ROW
    }
    if (output != 0) storeOutput(output, begin, end, time, t, hidden, zNext, zPitch)
  }
  const zLast = z + zStep * (save ? time : time & 1) + hiddenAt
  storeRows(zLast, zPitch, begin, end, hidden, address(job, H_FINAL))
  if (save) storeKeptCells(kept + panelBytes - stepBytes + CELL_AT, panelBytes, begin, end, hidden, address(job, C_FINAL))
  else storeRows(cells, cellPitch, begin, end, hidden, address(job, C_FINAL))
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

/** The cell states of a step, from where they are kept. */
function storeKeptCells(from: usize, panelBytes: usize, begin: i32, end: i32, hidden: i32, to: usize): void {
  for (let row = begin; row < end; row++) {
    for (let unit = 0; unit < hidden; unit += 8) {
      const count = min(8, hidden - unit)
      copyRow(from + panelBytes * <usize>(unit >> 3), to + (<usize>(row * hidden + unit) << 2), count, count)
    }
    from += KEPT
  }
}
