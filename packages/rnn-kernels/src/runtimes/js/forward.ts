import { hasCellState } from '../../cell'
import type { RecurrentInputs, RecurrentOutputs, RecurrentShape } from '../../runtime'
import { jsCell } from './cells'
import type { JsCell, Step } from './cells/cell'
import { isResetCell } from './cells/gru-reset-before'
import { type JsWeights, packWeights } from './pack'
import { multiplyPanels, orderRows, type Rows, timeAt } from './rows'

/** A forward pass, with what its pullback needs of each step when it was saved. */
export interface Trace {
  shape: RecurrentShape
  cell: JsCell
  weights: JsWeights
  rows: Rows
  hasInitial: boolean
  /** Rows [x_t | h_{t-1}], `[rows, I + H]`, the step, and r·h of a reset-before GRU. */
  steps: { z: Float64Array; step: Step; resets: Float64Array }[]
}

/** The forward pass, a step at a time over all rows that have it; the equations are those of the cell. */
export function runForward(
  shape: RecurrentShape,
  inputs: RecurrentInputs & { x: Float32Array },
): { outputs: RecurrentOutputs; trace: Trace } {
  const { batch, time, inputSize, hiddenSize } = shape
  const cell = jsCell(shape)
  const weights = packWeights(inputs.weights(), shape, cell)
  const rows = orderRows(shape, inputs.lengths)
  const trace: Trace = { shape, cell, weights, rows, hasInitial: inputs.initial !== undefined, steps: [] }
  const outputs: RecurrentOutputs = { h: new Float32Array(batch * hiddenSize) }
  if (hasCellState(shape.cell)) outputs.c = new Float32Array(batch * hiddenSize)
  if (inputs.returnOutput) outputs.output = new Float32Array(batch * time * hiddenSize)
  let hBefore = ordered(inputs.initial?.h, rows, hiddenSize)
  let cBefore = ordered(inputs.initial?.c, rows, hiddenSize)
  let scratch = scratchOf(batch)
  rows.active.forEach((active, index) => {
    const states = active * hiddenSize
    if (inputs.save && index > 0) scratch = scratchOf(active) // what is saved is not written again
    const { z, gates } = scratch
    const step: Step = { rows: active, hiddenSize, hBefore, cBefore, gates, h: hBefore, c: cBefore }
    if (inputs.save) {
      step.h = new Float64Array(states)
      step.c = new Float64Array(states)
    }
    joinInputs(inputs.x, trace, index, hBefore, z)
    multiplyPanels(
      z,
      inputSize + hiddenSize,
      active,
      weights.forward,
      hiddenSize * cell.slots.length,
      weights.bias,
      step.gates,
    )
    if (!readsAll(cell)) sumAgain(z, active, trace, step.gates)
    cell.forward(step)
    const resets = new Float64Array(isResetCell(cell) ? states : 0)
    if (isResetCell(cell)) {
      const products = new Float64Array(states)
      cell.resets(step, resets)
      multiplyPanels(resets, hiddenSize, active, weights.reset, hiddenSize, undefined, products)
      cell.forwardReset(step, products)
    }
    store(step, trace, index, outputs)
    if (inputs.save) trace.steps.push({ z, step, resets })
    hBefore = step.h
    cBefore = step.c
  })
  return { outputs, trace }

  function scratchOf(active: number): { z: Float64Array; gates: Float64Array } {
    return {
      z: new Float64Array(active * (inputSize + hiddenSize)),
      gates: new Float64Array(active * hiddenSize * cell.slots.length),
    }
  }
}

function readsAll({ slots }: JsCell): boolean {
  return slots.every(({ input, hidden }) => input && hidden)
}

/**
 * A sum that does not read the input, or the hidden state, has weights of zero there, which make NaN of what is infinite: those sums are
 * made again of what they read.
 */
function sumAgain(z: Float64Array, active: number, { shape, cell, weights }: Trace, gates: Float64Array): void {
  const { inputSize, hiddenSize } = shape
  const [depth, width] = [inputSize + hiddenSize, hiddenSize * cell.slots.length]
  for (let place = 0; place < active; place++) {
    const row = z.subarray(place * depth, (place + 1) * depth)
    if (row.every(Number.isFinite)) continue
    for (let column = 0; column < width; column++) {
      const { input, hidden } = cell.slots[column % cell.slots.length]
      if (input && hidden) continue
      const panel = weights.forward[column >> 2]
      let sum = weights.bias[column]
      for (let k = input ? 0 : inputSize; k < (hidden ? depth : inputSize); k++)
        sum += row[k] * panel[4 * k + (column & 3)]
      gates[place * width + column] = sum
    }
  }
}

/** States in the order of the rows; zeros when absent. */
function ordered(values: Float32Array | undefined, { order }: Rows, width: number): Float64Array {
  const to = new Float64Array(order.length * width)
  if (!values) return to
  order.forEach((row, place) => {
    to.set(values.subarray(row * width, (row + 1) * width), place * width)
  })
  return to
}

function joinInputs(
  x: Float32Array,
  { shape, rows }: Trace,
  index: number,
  hBefore: Float64Array,
  z: Float64Array,
): void {
  const { inputSize, hiddenSize } = shape
  const depth = inputSize + hiddenSize
  const active = rows.active[index]
  for (let place = 0; place < active; place++) {
    const from = timeAt(rows, shape, place, index) * inputSize
    for (let k = 0; k < inputSize; k++) z[place * depth + k] = x[from + k]
    for (let k = 0; k < hiddenSize; k++) z[place * depth + inputSize + k] = hBefore[place * hiddenSize + k]
  }
}

/** Writes the hidden states of a step, and the final states of the rows that end with it. */
function store({ h, c, rows: active }: Step, { shape, rows }: Trace, index: number, outputs: RecurrentOutputs): void {
  const { hiddenSize } = shape
  for (let place = 0; place < active; place++) {
    const states = [place * hiddenSize, (place + 1) * hiddenSize]
    outputs.output?.set(h.subarray(...states), timeAt(rows, shape, place, index) * hiddenSize)
    if (index < rows.lengths[place] - 1) continue
    outputs.h.set(h.subarray(...states), rows.order[place] * hiddenSize)
    outputs.c?.set(c.subarray(...states), rows.order[place] * hiddenSize)
  }
}
