// The backward pass of one layer in one direction, for one slice of the batch, from the last step to the first. With ġ the gradient by the
// gates' pre-activations:
//
//     h̄ = ġ_{t+1}·W_hh + upstream, and from it ġ_t as cells.ts says
//
// The gates' gradients are needed for a few steps only, so their room is used again and stays in the cache. The weight gradients are
// summed over these steps at a time: dW += Σ_t ġ_tᵀ·[x_t | h_{t-1}].

import { address, ceil4, ceil8, field, gatePitchOf } from './arithmetic'
import { gateGradients } from './cells'
import { multiplyRows, multiplySome, ROW } from './tile'
import {
  CELL_AT,
  CELLS,
  D_C_FINAL,
  D_C_INITIAL,
  D_CELLS,
  D_GATES,
  D_H_FINAL,
  D_H_INITIAL,
  D_OUTPUT,
  D_WEIGHTS,
  D_WEIGHTS_STRIDE,
  D_X,
  GATES,
  HIDDEN,
  INPUT,
  KEPT,
  REVERSE,
  ROW_BLOCK,
  SUMMED_ROWS,
  TIME,
  WEIGHTS_HH_T,
  WEIGHTS_IH_T,
  Z,
} from '../src/job-fields'

/** What sums begin with that add to nothing. */
const ZEROS = memory.data(<i32>ROW, 64)

/** Runs rows begin … end − 1 and leaves their weight gradients in region `slice`. */
export function backward(job: usize, begin: i32, end: i32, slice: i32, tile: usize): void {
  const hiddenPadded = ceil8(field(job, HIDDEN))
  const depth = ceil4(field(job, INPUT)) + hiddenPadded
  const dWeights = address(job, D_WEIGHTS) + <usize>field(job, D_WEIGHTS_STRIDE) * slice
  const dGates = address(job, D_GATES) + gatePitchOf(hiddenPadded) * <usize>(SUMMED_ROWS * slice)
  memory.fill(dWeights, 0, <usize>((depth + 2) * hiddenPadded) << 4)
  for (let row = begin; row < end; row += ROW_BLOCK) backwardBlock(job, row, min(row + ROW_BLOCK, end), dWeights, dGates, tile)
}

function backwardBlock(job: usize, begin: i32, end: i32, dWeights: usize, dGates: usize, tile: usize): void {
  const rows = end - begin
  const time = field(job, TIME)
  const input = field(job, INPUT)
  const hidden = field(job, HIDDEN)
  const reverse = field(job, REVERSE)
  const hiddenPadded = ceil8(hidden)
  const depth = ceil4(input) + hiddenPadded
  const zPitch = <usize>depth << 2
  const zStep = zPitch * rows
  const cellPitch = <usize>hiddenPadded << 2
  const stepBytes = KEPT * <usize>rows
  const panelBytes = stepBytes * <usize>time
  const kept = address(job, GATES) + KEPT * <usize>(begin * time * (hiddenPadded >> 3))
  const z = address(job, Z) + zPitch * <usize>(begin * (time + 1))
  const cells = address(job, CELLS) + cellPitch * <usize>begin
  const dCells = address(job, D_CELLS) + cellPitch * begin
  const dOutput = address(job, D_OUTPUT)
  const dHFinal = address(job, D_H_FINAL)
  const rowLength = <usize>hidden << 2
  const gatePitch = gatePitchOf(hiddenPadded)
  const dX = address(job, D_X)
  // Two at least: a step reads the gates' gradients of the next one while it writes its own.
  const summedSteps = SUMMED_ROWS / rows

  startCells(address(job, D_C_FINAL), begin, end, hidden, hiddenPadded, dCells, cellPitch)
  for (let step = time - 1; step >= 0; step--) {
    const t = reverse ? time - 1 - step : step
    const isLast = step == time - 1
    const keptNow = kept + stepBytes * <usize>step
    const dGatesNow = dGates + gatePitch * <usize>(step % summedSteps * rows)
    const dGatesNext = dGates + gatePitch * <usize>((step + 1) % summedSteps * rows)
    // Upstream gradients by this step's hidden state lie in rows of H floats; 0 where there are none.
    const upstreamPitch = dOutput != 0 ? rowLength * time : 0
    const upstream = dOutput != 0 ? dOutput + upstreamPitch * begin + rowLength * t : 0
    const final = isLast && dHFinal != 0 ? dHFinal + rowLength * begin : 0
    let weights = address(job, WEIGHTS_HH_T)
    for (let first = 0; first < hidden; first += 32) {
      if (isLast) memory.fill(tile, 0, ROW * <usize>rows)
      else multiplyRows(rows, dGatesNext, gatePitch, weights, hiddenPadded * 4, ZEROS, tile, ROW)
      if (upstream != 0) addUpstream(rows, upstream, upstreamPitch, first, hidden, tile)
      if (final != 0) addUpstream(rows, final, rowLength, first, hidden, tile)
      for (let unit = first; unit < min(first + 32, hiddenPadded); unit += 8) {
        const sums = tile + (<usize>(unit - first) << 2)
        const gates = keptNow + panelBytes * <usize>(unit >> 3)
        const unitAt = <usize>unit << 2
        const before = step == 0 ? cells + unitAt : gates - stepBytes + CELL_AT
        gateGradients(
          rows, sums, gates, before, step == 0 ? cellPitch : KEPT, dGatesNow + (unitAt << 2), gatePitch, dCells + unitAt, cellPitch,
        )
      }
      weights += <usize>hiddenPadded << 9
    }
    if (dX != 0) {
      const at = dX + (<usize>((begin * time + t) * input) << 2)
      storeProducts(dGatesNow, rows, address(job, WEIGHTS_IH_T), input, hiddenPadded, at, <usize>(time * input) << 2, tile)
    }
    if (step % summedSteps == 0) {
      const summed = rows * min(summedSteps, time - step)
      addWeightGradients(z + zStep * step, zPitch, dGates, gatePitch, summed, depth, hiddenPadded, dWeights)
    }
  }
  finishStates(job, begin, end, dGates, dCells, cellPitch, tile)
}

/** dWeights[panel][k] += Σ_row z[row][k] · ġ[row][panel], and the bias's row, which is the plain sum of ġ. */
function addWeightGradients(
  z: usize, zPitch: usize, dGates: usize, gatePitch: usize, rows: i32, depth: i32, hiddenPadded: i32, dWeights: usize,
): void {
  for (let unit = 0; unit < hiddenPadded; unit += 8) {
    const panel = dGates + (<usize>unit << 4)
    for (let k = 0; k < depth; ) {
      const column = z + (<usize>k << 2)
      const some = multiplySome(depth - k, column, 4, zPitch, panel, gatePitch, rows, dWeights, ROW, dWeights, ROW)
      dWeights += ROW * <usize>some
      k += some
    }
    addRows(panel, gatePitch, rows, dWeights)
    dWeights += ROW * 2 // the row after the bias's is unused: regions of an even number of rows
  }
}

/** to[0..31] += Σ_row from[row][0..31] */
function addRows(from: usize, pitch: usize, rows: i32, to: usize): void {
  let s0 = v128.load(to, 0)
  let s1 = v128.load(to, 16)
  let s2 = v128.load(to, 32)
  let s3 = v128.load(to, 48)
  let s4 = v128.load(to, 64)
  let s5 = v128.load(to, 80)
  let s6 = v128.load(to, 96)
  let s7 = v128.load(to, 112)
  for (let row = 0; row < rows; row++) {
    s0 = f32x4.add(s0, v128.load(from, 0))
    s1 = f32x4.add(s1, v128.load(from, 16))
    s2 = f32x4.add(s2, v128.load(from, 32))
    s3 = f32x4.add(s3, v128.load(from, 48))
    s4 = f32x4.add(s4, v128.load(from, 64))
    s5 = f32x4.add(s5, v128.load(from, 80))
    s6 = f32x4.add(s6, v128.load(from, 96))
    s7 = f32x4.add(s7, v128.load(from, 112))
    from += pitch
  }
  v128.store(to, s0, 0)
  v128.store(to, s1, 16)
  v128.store(to, s2, 32)
  v128.store(to, s3, 48)
  v128.store(to, s4, 64)
  v128.store(to, s5, 80)
  v128.store(to, s6, 96)
  v128.store(to, s7, 112)
}

/** sums[r][0..31] += from[r][first..first+31], where that is inside the H floats of a row. */
function addUpstream(rows: i32, from: usize, pitch: usize, first: i32, hidden: i32, sums: usize): void {
  const count = min(32, hidden - first)
  from += <usize>first << 2
  for (let row = 0; row < rows; row++) {
    let k = 0
    for (; k + 4 <= count; k += 4) {
      const at = <usize>k << 2
      v128.store(sums + at, f32x4.add(v128.load(sums + at), v128.load(from + at)))
    }
    for (; k < count; k++) {
      const at = <usize>k << 2
      store<f32>(sums + at, load<f32>(sums + at) + load<f32>(from + at))
    }
    from += pitch
    sums += ROW
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
function finishStates(job: usize, begin: i32, end: i32, dGates: usize, dCells: usize, cellPitch: usize, tile: usize): void {
  const hidden = field(job, HIDDEN)
  const dHInitial = address(job, D_H_INITIAL)
  const dCInitial = address(job, D_C_INITIAL)
  const rowLength = <usize>hidden << 2
  if (dHInitial != 0) {
    storeProducts(dGates, end - begin, address(job, WEIGHTS_HH_T), hidden, ceil8(hidden), dHInitial + rowLength * begin, rowLength, tile)
  }
  if (dCInitial == 0) return
  for (let row = begin; row < end; row++) {
    memory.copy(dCInitial + rowLength * row, dCells + cellPitch * (row - begin), rowLength)
  }
}

/** to[row][0..columns] = ġ[row]·W for the rows of a block. */
function storeProducts(
  dGates: usize, rows: i32, weights: usize, columns: i32, hiddenPadded: i32, to: usize, toPitch: usize, tile: usize,
): void {
  for (let first = 0; first < columns; first += 32) {
    const bytes = <usize>min(32, columns - first) << 2
    multiplyRows(rows, dGates, gatePitchOf(hiddenPadded), weights, hiddenPadded * 4, ZEROS, tile, ROW)
    let at = to + (<usize>first << 2)
    for (let row = 0; row < rows; row++) {
      memory.copy(at, tile + ROW * <usize>row, bytes)
      at += toPitch
    }
    weights += <usize>hiddenPadded << 9
  }
}
