// Weights in the order in which the micro-kernels read them. A panel holds 32 columns: for the gates, i, f, g and o of eight
// hidden units, eight floats each. Features that only fill up to a multiple of four and units to one of eight are zero.

import { address, ceil4, ceil8, field } from './arithmetic'
import {
  BIAS,
  HIDDEN,
  INPUT,
  RAW_BIAS_HH,
  RAW_BIAS_IH,
  RAW_WEIGHT_HH,
  RAW_WEIGHT_IH,
  WEIGHTS,
  WEIGHTS_HH_T,
  WEIGHTS_IH_T,
} from '../src/job-fields'

/** Packs what the forward pass reads: [W_ih | W_hh]ᵀ and the sum of the biases. */
export function packForward(job: usize): void {
  const input = field(job, INPUT)
  const hidden = field(job, HIDDEN)
  const inputPadded = ceil4(input)
  const hiddenPadded = ceil8(hidden)
  const depth = inputPadded + hiddenPadded
  const weightIh = address(job, RAW_WEIGHT_IH)
  const weightHh = address(job, RAW_WEIGHT_HH)
  const biasIh = address(job, RAW_BIAS_IH)
  const biasHh = address(job, RAW_BIAS_HH)
  let bias = address(job, BIAS)
  let panel = address(job, WEIGHTS)
  memory.fill(panel, 0, <usize>(hiddenPadded * depth) << 4)
  for (let unit = 0; unit < hiddenPadded; unit += 8) {
    for (let column = 0; column < 32; column++) {
      const u = unit + (column & 7)
      const to = panel + (<usize>column << 2)
      let sum: f32 = 0
      if (u < hidden) {
        const row = (column >> 3) * hidden + u
        if (biasIh != 0) sum = load<f32>(biasIh + (<usize>row << 2)) + load<f32>(biasHh + (<usize>row << 2))
        let from = weightIh + (<usize>(row * input) << 2)
        for (let k = 0; k < input; k++) store<f32>(to + (<usize>k << 7), load<f32>(from + (<usize>k << 2)))
        from = weightHh + (<usize>(row * hidden) << 2)
        const at = to + (<usize>inputPadded << 7)
        for (let k = 0; k < hidden; k++) store<f32>(at + (<usize>k << 7), load<f32>(from + (<usize>k << 2)))
      }
      store<f32>(bias + (<usize>column << 2), sum)
    }
    panel += <usize>depth << 7
    bias += 128
  }
}

/** Packs W_hh, and W_ih where it is wanted, for products with gate gradients. */
export function packBackward(job: usize): void {
  const hidden = field(job, HIDDEN)
  packTransposed(address(job, RAW_WEIGHT_HH), hidden, hidden, address(job, WEIGHTS_HH_T))
  const weightsIh = address(job, WEIGHTS_IH_T)
  if (weightsIh != 0) packTransposed(address(job, RAW_WEIGHT_IH), hidden, field(job, INPUT), weightsIh)
}

/** [4H, columns] → [ceil(columns/32), 4·ceil8(H) in the order of a row of gates, 32]. */
function packTransposed(from: usize, hidden: i32, columns: i32, to: usize): void {
  const hiddenPadded = ceil8(hidden)
  for (let first = 0; first < columns; first += 32) {
    const width = min(32, columns - first)
    for (let k = 0; k < hiddenPadded * 4; k++) {
      const u = (k >> 5 << 3) + (k & 7)
      memory.fill(to, 0, 128)
      if (u < hidden) {
        const row = ((k >> 3) & 3) * hidden + u
        memory.copy(to, from + (<usize>(row * columns + first) << 2), <usize>width << 2)
      }
      to += 128
    }
  }
}
