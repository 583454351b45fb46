import { stampOf } from '@rowwise/host-values'
import type { KernelBackend, Tensor, Tensor1D, Tensor2D, Tensor3D, TensorInfo } from '@tensorflow/tfjs-core'
import { requireEngine } from '../configure'
import type { ForwardOutputs } from '../engine'
import { KernelShapeError } from '../errors'
import { endLoans, read } from './host-tensors'
import { releaseFinished } from './saved-passes'

/** The weights of one direction of one layer as tensors; gates in the order i, f, g, o. */
export interface LSTMWeightTensors {
  /** float32 `[4·H, I]` */
  weightIh: Tensor2D
  /** float32 `[4·H, H]` */
  weightHh: Tensor2D
  /** float32 `[4·H]`; both biases or none */
  biasIh?: Tensor1D
  /** float32 `[4·H]`; both biases or none */
  biasHh?: Tensor1D
}

/** Hidden and cell state before the first step, each float32 `[N, H]`. */
export interface InitialTensors {
  /** Hidden state. */
  h: Tensor2D
  /** Cell state. */
  c: Tensor2D
}

/** What a pass reads, by name. */
export type PassInputs = Record<'x' | 'weightIh' | 'weightHh', TensorInfo> &
  Partial<Record<'biasIh' | 'biasHh' | 'h0' | 'c0', TensorInfo>>

/** How a pass goes. */
export interface PassOptions {
  /** Read the sequence from its end. */
  reverse: boolean
  /** Hand back the hidden states of all steps. */
  returnOutput: boolean
  /** Keep what a backward pass needs. */
  save: boolean
}

/**
 * The inputs of a pass, once it is sure that they fit. TensorFlow.js asks for gradients in their order: those that cost something come
 * first, so that who is asked for another knows that they are not wanted.
 */
export function passInputs(x: Tensor3D, weights: LSTMWeightTensors, initial?: InitialTensors): PassInputs {
  checkShapes(x.shape, weights, initial)
  const { weightIh, weightHh, biasIh, biasHh } = weights
  return {
    x,
    ...(initial && { h0: initial.h, c0: initial.c }),
    ...{ weightIh, weightHh },
    ...(biasIh && biasHh && { biasIh, biasHh }),
  }
}

/** One forward pass of the engine. What earlier passes lent is written over. */
export function forwardPass(inputs: PassInputs, backend: KernelBackend, options: PassOptions): ForwardOutputs {
  beginPasses()
  return layerPass(read(backend, inputs.x), inputs.x.shape, inputs, backend, options)
}

/** To be called before forward passes: what earlier ones lent is written over, and what nobody can differentiate any more is freed. */
export function beginPasses(): void {
  endLoans()
  releaseFinished()
}

/** The forward pass of one layer, after {@link beginPasses}. */
export function layerPass(
  x: Float32Array,
  shape: readonly number[],
  inputs: Omit<PassInputs, 'x'>,
  backend: KernelBackend,
  options: PassOptions,
): ForwardOutputs {
  const { reverse, returnOutput, save } = options
  const [batch, time, inputSize] = shape
  const hiddenSize = inputs.weightHh.shape[1]
  const { weightIh, weightHh, biasIh, biasHh, h0, c0 } = inputs
  const keyed = [weightIh, weightHh, ...(biasIh && biasHh ? [biasIh, biasHh] : [])]
  return requireEngine().forward(
    { batch, time, inputSize, hiddenSize, reverse },
    {
      x,
      weightsKey: keyed.map(stampOf),
      weights: () => ({
        weightIh: read(backend, weightIh),
        weightHh: read(backend, weightHh),
        ...(biasIh && biasHh && { biasIh: read(backend, biasIh), biasHh: read(backend, biasHh) }),
      }),
      initial: h0 && c0 && { h: read(backend, h0), c: read(backend, c0) },
      save,
      returnOutput,
    },
  )
}

/** Nothing of another size may reach the kernels' memory. */
export function checkShapes(shape: readonly number[], weights: LSTMWeightTensors, initial?: InitialTensors): void {
  const [batch, time, inputSize] = shape
  const hiddenSize = weights.weightHh.shape[1]
  if (shape.length !== 3 || !(batch * time * inputSize > 0) || !(hiddenSize > 0)) {
    throw new KernelShapeError(
      `inputs has shape [${shape}], weightHh [${weights.weightHh.shape}]; expected [N, T, I] and [4·H, H]`,
    )
  }
  const { weightIh, weightHh, biasIh, biasHh } = weights
  if ((biasIh === undefined) !== (biasHh === undefined))
    throw new KernelShapeError('one bias without the other; pass both or none')
  const check = (name: string, found: Tensor | undefined, rows: number, columns?: number): void => {
    if (found === undefined || (isShape(found.shape, rows, columns) && found.dtype === 'float32')) return
    throw new KernelShapeError(
      `${name} is ${found.dtype} [${found.shape}], expected float32 [${columns === undefined ? rows : [rows, columns]}] for inputs [${[batch, time, inputSize]}] and ${hiddenSize} hidden units`,
    )
  }
  check('weightIh', weightIh, 4 * hiddenSize, inputSize)
  check('weightHh', weightHh, 4 * hiddenSize, hiddenSize)
  check('biasIh', biasIh, 4 * hiddenSize)
  check('biasHh', biasHh, 4 * hiddenSize)
  check('initial.h', initial?.h, batch, hiddenSize)
  check('initial.c', initial?.c, batch, hiddenSize)
}

function isShape(found: readonly number[], rows: number, columns?: number): boolean {
  return found[0] === rows && found[1] === columns && found.length === (columns === undefined ? 1 : 2)
}
