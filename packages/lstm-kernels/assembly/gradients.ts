// What follows the backward pass: the weight gradients in PyTorch's layout.

import { address, ceil4, ceil8, field } from './arithmetic'
import { D_WEIGHTS, D_WEIGHTS_STRIDE, HIDDEN, INPUT, RAW_BIAS_IH, RAW_WEIGHT_HH, RAW_WEIGHT_IH, SLICES } from '../src/job-fields'

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
