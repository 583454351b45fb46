import { GATES, hasCellState } from '../../cell'
import type { RecurrentGradients, Upstream, WantedGradients } from '../../runtime'
import type { StepGradient } from './cells/cell'
import { isResetCell } from './cells/gru-reset-before'
import type { Trace } from './forward'
import { unpackGradients } from './pack'
import { addPanelProducts, multiplyPanels, timeAt } from './rows'

/**
 * The backward pass, from the last step to the first:
 *
 *     h̄ = ġ_{t+1}·W_hh + what passes on + upstream
 *
 * From it the cell computes ġ_t, the gradient with respect to the sums.
 */
export function runBackward(trace: Trace, upstream: Upstream, wanted: WantedGradients): RecurrentGradients {
  const { shape, cell, weights, rows, steps, hasInitial } = trace
  const { batch, time, inputSize, hiddenSize } = shape
  const depth = inputSize + hiddenSize
  const width = hiddenSize * cell.slots.length
  const dWeights = weights.forward.map(() => new Float64Array(4 * depth))
  const dReset = weights.reset.map(() => new Float64Array(4 * hiddenSize))
  const dBias = new Float64Array(width)
  const dX = wanted.x ? new Float32Array(batch * time * inputSize) : undefined
  const carry = new Float64Array(batch * hiddenSize)
  const dH = new Float64Array(batch * hiddenSize)
  const dGates = new Float64Array(batch * width)
  let after = 0 // rows that have a step more

  for (let index = steps.length - 1; index >= 0; index--) {
    const { z, step, resets } = steps[index]
    const active = step.rows
    addHidden(after)
    addUpstream(index, after, active)
    const pullback: StepGradient = { ...step, dH, carry, dGates }
    cell.backward(pullback)
    if (isResetCell(cell)) {
      const dn = new Float64Array(active * hiddenSize)
      const dResets = new Float64Array(active * hiddenSize)
      cell.resetGradient(pullback, dn)
      multiplyPanels(dn, hiddenSize, active, weights.resetTransposed, hiddenSize, undefined, dResets)
      cell.backwardReset(pullback, dResets)
      addPanelProducts(resets, hiddenSize, active, dn, hiddenSize, dReset)
    }
    addPanelProducts(z, depth, active, dGates, width, dWeights)
    for (let row = 0; row < active; row++) for (let k = 0; k < width; k++) dBias[k] += dGates[row * width + k]
    if (dX) addInputs(dX, index, active)
    after = active
  }
  const gradients: RecurrentGradients = {
    ...unpackGradients(dWeights, dBias, dReset, shape, cell, GATES[shape.cell]),
    ...(dX && { x: dX }),
  }
  if (!wanted.initial || !hasInitial) return gradients
  addHidden(batch)
  gradients.h = inBatchOrder(dH)
  if (hasCellState(shape.cell)) gradients.c = inBatchOrder(carry)
  return gradients

  /** dH = ġ·W_hh, and what passes on, for the rows that had the step. */
  function addHidden(count: number): void {
    multiplyPanels(dGates, width, count, weights.hhTransposed, hiddenSize, undefined, dH)
    if (cell.carriesHidden) for (let at = 0; at < count * hiddenSize; at++) dH[at] += carry[at]
  }

  /** Adds the gradients with respect to the outputs of a step, and to the final states of the rows that end with it. */
  function addUpstream(index: number, first: number, active: number): void {
    for (let place = first; place < active; place++) {
      const at = place * hiddenSize
      const from = rows.order[place] * hiddenSize
      for (let k = 0; k < hiddenSize; k++) {
        dH[at + k] = upstream.h ? upstream.h[from + k] : 0
        carry[at + k] = upstream.c ? upstream.c[from + k] : 0
      }
    }
    if (!upstream.output) return
    for (let place = 0; place < active; place++) {
      const from = timeAt(rows, shape, place, index) * hiddenSize
      for (let k = 0; k < hiddenSize; k++) dH[place * hiddenSize + k] += upstream.output[from + k]
    }
  }

  /** dx_t = ġ·W_ih */
  function addInputs(to: Float32Array, index: number, active: number): void {
    const products = new Float64Array(active * inputSize)
    multiplyPanels(dGates, width, active, weights.ihTransposed, inputSize, undefined, products)
    for (let place = 0; place < active; place++) {
      const row = products.subarray(place * inputSize, (place + 1) * inputSize)
      to.set(row, timeAt(rows, shape, place, index) * inputSize)
    }
  }

  function inBatchOrder(values: Float64Array): Float32Array {
    const to = new Float32Array(batch * hiddenSize)
    rows.order.forEach((row, place) => {
      to.set(values.subarray(place * hiddenSize, (place + 1) * hiddenSize), row * hiddenSize)
    })
    return to
  }
}
