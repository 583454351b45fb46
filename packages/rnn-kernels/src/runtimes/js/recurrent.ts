import { hasCellState } from '../../cell'
import { KernelStateError } from '../../errors'
import type {
  RecurrentGradients,
  RecurrentInputs,
  RecurrentOutputs,
  RecurrentShape,
  Upstream,
  WantedGradients,
} from '../../runtime'
import { CELLS, type JsCell, type Product, type Step } from './cells'
import { type Matrix, multiply, panelsOf, transpose } from './multiply'
import { joinWeights, splitGradients } from './weights'

/** Rows whose weight gradients are summed at once, at least: enough for long sums, few enough for a cache. */
const SUMMED_ROWS = 64

/** A forward pass, whose arrays have the rows of each step in turn; all steps in the same place when nothing is saved. */
interface Trace {
  shape: RecurrentShape
  cell: JsCell
  /** `[G·H, I + H]` */
  weights: Float64Array
  /** The row of the batch at each place of a step: longest first, so the rows that have a step more come first. */
  order: Int32Array
  /** Where the output of each row is, in time steps of all sequences, and its input, in vectors. */
  places: Int32Array
  reads: Int32Array
  /** [x_t | h_{t-1}], and r·h_{t-1} of a reset-before GRU. */
  z: Float64Array
  resets: Float64Array
  /** Floats of the inputs. */
  inputLength: number
  hasInitial: boolean
  steps: (Step & { start: number })[]
}

/** One layer in one direction. */
export function forward(shape: RecurrentShape, inputs: RecurrentInputs): RecurrentOutputs {
  const run = runForward(shape, inputs)
  if (!inputs.save) return run.outputs
  let trace: Trace | null = run.trace
  return {
    ...run.outputs,
    saved: {
      backward(upstream, wanted = {}) {
        if (trace === null) throw new KernelStateError('the forward pass of this gradient was released')
        return runBackward(trace, upstream, wanted)
      },
      release() {
        trace = null
      },
    },
  }
}

/** The forward pass, a step at a time over all rows that have it; the equations are those of the cell. */
function runForward(shape: RecurrentShape, inputs: RecurrentInputs): { outputs: RecurrentOutputs; trace: Trace } {
  const { cell: name, batch, time, inputSize: I, hiddenSize: H, reverse } = shape
  const { x, lengths = new Int32Array(batch).fill(time), initial, save, returnOutput } = inputs
  const cell = CELLS[name]
  const hasC = hasCellState(name)
  const isHard = shape.gateActivation === 'hard_sigmoid'
  const depth = I + H
  const stride = cell.slots * H + 4 // rows a power of two apart would share the sets of a cache
  const { weights, bias } = joinWeights(shape, stride, inputs.weights())
  const [vectors, tokens] = 'tokens' in x ? [x.vectors, x.tokens] : [x, undefined]
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a] || a - b)
  const total = save ? lengths.reduce((sum, length) => sum + length, 0) : batch
  const [places, reads] = [new Int32Array(total), new Int32Array(total)]
  const [z, gates] = [new Float64Array(total * depth), new Float64Array(total * stride)]
  const resets = new Float64Array(cell.forwardReset ? total * H : 0)
  const trace: Trace = {
    ...{ shape, cell, weights, order, places, reads, z, resets, steps: [] },
    ...{ inputLength: vectors.length, hasInitial: initial !== undefined },
  }
  const panels = cell.products.map((product) => {
    const { first, length } = readBy(product, trace, 0)
    return panelsOf(product.count * H, length, { values: weights, row: depth, at: product.gate * H * depth + first })
  })
  const outputs: RecurrentOutputs = { h: new Float32Array(batch * H) }
  if (hasC) outputs.c = new Float32Array(batch * H)
  const output = returnOutput ? new Float32Array(batch * time * H) : undefined
  if (output) outputs.output = output
  let h = ordered(initial?.h)
  let c = ordered(initial?.c)
  for (let index = 0, start = 0, rows = batch; index < lengths[order[0]]; index++) {
    while (lengths[order[rows - 1]] <= index) rows--
    const step = {
      start,
      rows,
      H,
      stride,
      isHard,
      gates: save ? gates.subarray(start * stride) : gates,
      resets: save ? resets.subarray(start * H) : resets,
      hBefore: h,
      h: save ? new Float64Array(rows * H) : h,
      cBefore: c,
      c: save && hasC ? new Float64Array(rows * H) : c,
    }
    for (let row = 0; row < rows; row++) {
      const place = order[row] * time + (reverse ? lengths[order[row]] - 1 - index : index)
      places[start + row] = place
      reads[start + row] = tokens ? tokens[place] : place
    }
    joinRows(vectors, I, reads, h, H, z, start, start + rows)
    for (let row = 0, at = start * stride; row < rows; row++) {
      for (let k = 0; k < stride; k++, at++) gates[at] = bias[k]
    }
    addProducts(start, rows, false)
    cell.forward(step)
    if (cell.forwardReset) {
      addProducts(start, rows, true)
      cell.forwardReset(step)
    }
    h = step.h
    for (let row = 0; row < rows; row++) {
      const isLast = index === lengths[order[row]] - 1
      for (let unit = 0, from = row * H; unit < H; unit++, from++) {
        if (output) output[places[start + row] * H + unit] = h[from]
        if (isLast) outputs.h[order[row] * H + unit] = h[from]
        if (isLast && outputs.c) outputs.c[order[row] * H + unit] = step.c[from]
      }
    }
    c = step.c
    if (!save) continue
    trace.steps.push(step)
    start += rows
  }
  return { outputs, trace }

  /** Adds to the sums the products with [x_t | h_{t-1}], or those with r·h_{t-1}. */
  function addProducts(start: number, rows: number, ofResets: boolean): void {
    for (const [index, product] of cell.products.entries()) {
      const { slot, count, reset = false } = product
      if (reset !== ofResets) continue
      const { length, read } = readBy(product, trace, start)
      const sums = { values: gates, row: stride, at: start * stride + slot * H }
      multiply(rows, count * H, length, read, panels[index], sums)
    }
  }

  /** States in the order of the rows; zeros when absent. */
  function ordered(states: Float32Array | undefined): Float64Array {
    const to = new Float64Array(batch * H)
    if (states) {
      order.forEach((row, place) => {
        to.set(states.subarray(row * H, (row + 1) * H), place * H)
      })
    }
    return to
  }
}

/** The backward pass, from the last step to the first: h̄ = ġ_{t+1}·W_hh + what passes on + upstream, from which the cell computes ġ_t. */
function runBackward(trace: Trace, upstream: Upstream, wanted: WantedGradients): RecurrentGradients {
  const { shape, cell, weights, order, places, reads, steps } = trace
  const { batch, inputSize: I, hiddenSize: H } = shape
  const { stride } = steps[0]
  const depth = I + H
  const dWeights = new Float64Array(weights.length)
  const dBias = new Float64Array(stride)
  const dX = new Float64Array(wanted.x ? trace.inputLength : 0)
  const [carry, dH] = [new Float64Array(batch * H), new Float64Array(batch * H)]
  const [ofX, ofH, ofReset] = [wanted.x ? pullbacksOf('x') : [], pullbacksOf('h'), pullbacksOf('reset')]
  // Of the steps that are not summed yet, the first at the end.
  const capacity = batch + SUMMED_ROWS
  const dGates = new Float64Array(capacity * stride)
  let unsummed = 0
  let after = 0 // rows that have a step more
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index]
    const { start, rows } = step
    unsummed += rows
    const begin = (capacity - unsummed) * stride
    addUpstream(start, rows)
    const dResets = new Float64Array(cell.backwardReset ? rows * H : 0)
    const pullback = { ...step, dH, carry, dGates: dGates.subarray(begin), dResets }
    cell.backward(pullback)
    if (cell.backwardReset) {
      addPullbacks(ofReset, begin, rows, dResets)
      cell.backwardReset(pullback)
    }
    if (hasCellState(shape.cell)) dH.fill(0)
    else dH.set(carry)
    addPullbacks(ofH, begin, rows, dH)
    after = rows
    if (unsummed < SUMMED_ROWS && start > 0) continue
    sumGradients(start, begin)
    unsummed = 0
  }
  return {
    ...splitGradients(shape, dWeights, dBias),
    ...(wanted.x && { x: new Float32Array(dX) }),
    ...(wanted.initial && trace.hasInitial && { h: inBatchOrder(dH) }),
    ...(wanted.initial && trace.hasInitial && hasCellState(shape.cell) && { c: inBatchOrder(carry) }),
  }

  /** The products that read x, h or r·h, with the columns of their weights. */
  function pullbacksOf(name: 'x' | 'h' | 'reset') {
    const [first, width] = name === 'x' ? [0, I] : [I, H]
    return cell.products
      .filter((product) => product[name])
      .map(({ gate, count, slot }) => {
        const columns = { values: weights, row: depth, at: gate * H * depth + first }
        return {
          slot,
          width,
          length: count * H,
          panels: panelsOf(width, count * H, transpose(count * H, width, columns)),
        }
      })
  }

  /** Adds ġ·W to what the products read. */
  function addPullbacks(products: typeof ofX, begin: number, rows: number, to: Float64Array): void {
    for (const { slot, width, length, panels } of products) {
      const from = { values: dGates, row: stride, at: begin + slot * H }
      multiply(rows, width, length, from, panels, { values: to, row: width, at: 0 })
    }
  }

  /** Adds the gradients with respect to the outputs of a step, and to the final states of the rows that end with it. */
  function addUpstream(start: number, rows: number): void {
    for (let row = after; row < rows; row++) {
      for (let unit = 0; unit < H; unit++) {
        dH[row * H + unit] = upstream.h?.[order[row] * H + unit] ?? 0
        carry[row * H + unit] = upstream.c?.[order[row] * H + unit] ?? 0
      }
    }
    if (!upstream.output) return
    for (let row = 0; row < rows; row++) {
      const from = places[start + row] * H
      for (let unit = 0; unit < H; unit++) dH[row * H + unit] += upstream.output[from + unit]
    }
  }

  /** Adds what some steps give to the gradients with respect to the weights, the biases and the inputs. */
  function sumGradients(start: number, begin: number): void {
    const columns = transpose(unsummed, stride, { values: dGates, row: stride, at: begin })
    for (const product of cell.products) {
      const { gate, count, slot } = product
      const { first, length, read } = readBy(product, trace, start)
      const panels = panelsOf(length, unsummed, transpose(unsummed, length, read))
      const from = { ...columns, at: slot * H * unsummed }
      multiply(count * H, length, unsummed, from, panels, {
        values: dWeights,
        row: depth,
        at: gate * H * depth + first,
      })
    }
    for (let row = 0, at = begin; row < unsummed; row++) {
      for (let k = 0; k < stride; k++, at++) dBias[k] += dGates[at]
    }
    if (!wanted.x) return
    const products = new Float64Array(unsummed * I)
    addPullbacks(ofX, begin, unsummed, products)
    for (let row = 0, at = 0; row < unsummed; row++) {
      const to = reads[start + row] * I
      for (let k = 0; k < I; k++, at++) dX[to + k] += products[at]
    }
  }

  function inBatchOrder(values: Float64Array): Float32Array {
    const to = new Float32Array(batch * H)
    order.forEach((row, place) => {
      to.set(values.subarray(place * H, (place + 1) * H), row * H)
    })
    return to
  }
}

/** The first column of the weights that a product has, how many, and what of the rows from `start` on it multiplies them with. */
function readBy({ x, h, reset }: Product, { shape, z, resets }: Trace, start: number) {
  const { inputSize: I, hiddenSize: H } = shape
  const first = x ? 0 : I
  const length = (x ? I : 0) + (h || reset ? H : 0)
  const read: Matrix = reset
    ? { values: resets, row: H, at: start * H }
    : { values: z, row: I + H, at: start * (I + H) + first }
  return { first, length, read }
}

/** Writes [x_t | h_{t-1}]. */
function joinRows(
  vectors: Float32Array,
  I: number,
  reads: Int32Array,
  h: Float64Array,
  H: number,
  z: Float64Array,
  begin: number,
  end: number,
): void {
  let to = begin * (I + H)
  for (let row = begin, unit = 0; row < end; row++) {
    for (let k = reads[row] * I; k < (reads[row] + 1) * I; k++, to++) z[to] = vectors[k]
    for (let k = 0; k < H; k++, unit++, to++) z[to] = h[unit]
  }
}
