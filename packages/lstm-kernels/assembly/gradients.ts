// What follows the backward pass: the gradient by the inputs, and the weight gradients in PyTorch's layout.

import { address, ceil4, ceil8, field, gatePitchOf } from './arithmetic'
import { multiplyGates } from './backward'
import {
  D_WEIGHTS,
  D_WEIGHTS_STRIDE,
  D_X,
  GATES,
  HIDDEN,
  INPUT,
  RAW_BIAS_IH,
  RAW_WEIGHT_HH,
  RAW_WEIGHT_IH,
  REVERSE,
  ROW_BLOCK,
  SLICES,
  TIME,
  WEIGHTS_IH_T,
} from '../src/job-fields'

/** dx_t = ġ_t·W_ih for rows begin … end − 1 and all steps. */
export function inputGradients(job: usize, begin: i32, end: i32, tile: usize): void {
  for (let row = begin; row < end; row += ROW_BLOCK) inputGradientsOfBlock(job, row, min(row + ROW_BLOCK, end), tile)
}

function inputGradientsOfBlock(job: usize, begin: i32, end: i32, tile: usize): void {
  const time = field(job, TIME)
  const input = field(job, INPUT)
  const reverse = field(job, REVERSE)
  const hiddenPadded = ceil8(field(job, HIDDEN))
  const gatePitch = gatePitchOf(hiddenPadded)
  const weights = address(job, WEIGHTS_IH_T)
  const dX = address(job, D_X)
  const dXPitch = <usize>(time * input) << 2
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step
    const gates = address(job, GATES) + gatePitch * (begin * time + (end - begin) * step)
    multiplyGates(gates, gatePitch, begin, end, weights, input, hiddenPadded, dX + (<usize>(t * input) << 2), dXPitch, tile)
  }
}

/** Sums the slices' partial gradients, always in the same order, into [4H, I], [4H, H] and [4H]. */
export function collectWeightGradients(job: usize): void {
  const input = field(job, INPUT)
  const hidden = field(job, HIDDEN)
  const inputPadded = ceil4(input)
  const hiddenPadded = ceil8(hidden)
  const depth = inputPadded + hiddenPadded
  const slices = field(job, SLICES)
  const stride = <usize>field(job, D_WEIGHTS_STRIDE)
  const total = address(job, D_WEIGHTS)
  const bytes = <usize>((depth + 2) * hiddenPadded) << 4
  for (let slice = 1; slice < slices; slice++) {
    const part = total + stride * slice
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(total + at, f32x4.add(v128.load(total + at), v128.load(part + at)))
    }
  }
  const weightIh = address(job, RAW_WEIGHT_IH)
  const weightHh = address(job, RAW_WEIGHT_HH)
  const bias = address(job, RAW_BIAS_IH)
  for (let column = 0; column < hiddenPadded * 4; column++) {
    const u = (column >> 5 << 3) + (column & 7)
    if (u >= hidden) continue
    const row = ((column >> 3) & 3) * hidden + u
    let from = total + (<usize>((column >> 5) * (depth + 2)) << 7) + (<usize>(column & 31) << 2)
    let to = weightIh + (<usize>(row * input) << 2)
    for (let k = 0; k < input; k++) store<f32>(to + (<usize>k << 2), load<f32>(from + (<usize>k << 7)))
    from += <usize>inputPadded << 7
    to = weightHh + (<usize>(row * hidden) << 2)
    for (let k = 0; k < hidden; k++) store<f32>(to + (<usize>k << 2), load<f32>(from + (<usize>k << 7)))
    store<f32>(bias + (<usize>row << 2), load<f32>(from + (<usize>hiddenPadded << 7)))
  }
}
