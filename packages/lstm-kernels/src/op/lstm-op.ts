import { readValues } from '@rowwise/host-values'
import {
  engine,
  getBackend,
  getKernel,
  type KernelBackend,
  type NamedTensorMap,
  registerGradient,
  registerKernel,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { currentEngine } from '../configure'
import type { SavedForward, WeightGradients } from '../engine'
import { KernelShapeError, KernelStateError } from '../errors'
import { endLoans, HOST_BACKENDS, read, tensorOfLent, write, writeLent } from './host-tensors'
import { recall, releaseFinished, remember } from './saved-passes'

/** The operation's name in TensorFlow.js's registries. */
const KERNEL = 'RowwiseLSTM'

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

/** What {@link fusedLSTM} starts from and hands back. */
export interface FusedLSTMOptions {
  /** Read the sequence from its last step to its first. @default false */
  reverse?: boolean
  /** Hidden and cell state before the first step, each `[N, H]`; zeros when absent. */
  initial?: {
    /** Hidden state. */
    h: Tensor2D
    /** Cell state. */
    c: Tensor2D
  }
  /** Hand back the hidden states of all steps. @default true */
  returnOutput?: boolean
}

/** What {@link fusedLSTM} computes; the caller disposes the tensors. */
export interface FusedLSTMOutputs {
  /** `[N, T, H]`; absent with `returnOutput: false` */
  output?: Tensor3D
  /** `[N, H]` */
  h: Tensor2D
  /** `[N, H]` */
  c: Tensor2D
}

type Inputs = Record<'x' | 'weightIh' | 'weightHh', TensorInfo> &
  Partial<Record<'biasIh' | 'biasHh' | 'h0' | 'c0', TensorInfo>>

/**
 * One direction of one LSTM layer as one operation of TensorFlow.js, with a gradient of its own: the numbers of
 * `torch.nn.LSTM`. Gradients by the inputs and the initial state are computed only when they are asked for.
 *
 * @param inputs float32 `[N, T, I]`
 * @throws {@link KernelShapeError} when a shape does not fit, {@link KernelMemoryError} when the batch is too large for WebAssembly's memory.
 * @example
 * ```ts
 * const { h } = fusedLSTM(inputs, { weightIh, weightHh, biasIh, biasHh }, { returnOutput: false }) // [N, H]
 * ```
 */
export function fusedLSTM(
  inputs: Tensor3D,
  weights: LSTMWeightTensors,
  options: FusedLSTMOptions = {},
): FusedLSTMOutputs {
  const { reverse = false, initial, returnOutput = true } = options
  const attributes = { reverse, returnOutput, returnCell: true }
  const [h, , c, output] = run(inputs, weights, initial, attributes) as [Tensor2D, Tensor, Tensor2D, Tensor3D]
  return returnOutput ? { output, h, c } : { h, c }
}

/**
 * The hidden state of {@link fusedLSTM} after the last step, and nothing else: all that a classifier reads.
 *
 * @param inputs float32 `[N, T, I]`
 * @returns float32 `[N, H]`, which the caller disposes
 * @throws {@link KernelShapeError} when a shape does not fit, {@link KernelMemoryError} when the batch is too large for WebAssembly's memory.
 * @example
 * ```ts
 * const h = fusedFinalHidden(inputs, { weightIh, weightHh, biasIh, biasHh }) // [N, H]
 * ```
 */
export function fusedFinalHidden(
  inputs: Tensor3D,
  weights: LSTMWeightTensors,
  options: Pick<FusedLSTMOptions, 'reverse'> = {},
): Tensor2D {
  const { reverse = false } = options
  return run(inputs, weights, undefined, { reverse, returnOutput: false, returnCell: false })[0] as Tensor2D
}

function run(
  inputs: Tensor3D,
  weights: LSTMWeightTensors,
  initial: FusedLSTMOptions['initial'],
  attributes: Omit<Attributes, 'save'>,
): Tensor[] {
  const { weightIh, weightHh, biasIh, biasHh } = weights
  checkShapes(inputs, weights, initial)
  const named: NamedTensorMap = {
    ...{ x: inputs, weightIh, weightHh },
    ...(biasIh && biasHh && { biasIh, biasHh }),
    ...(initial && { h0: initial.h, c0: initial.c }),
  }
  const save = engine().isTapeOn()
  const outputs = engine().runKernel(KERNEL, named, { ...attributes, save }) as unknown as Tensor[]
  outputs[HANDLE].dispose() // the tape has a copy
  return outputs
}

/** Nothing of another size may reach the kernels' memory. */
function checkShapes(inputs: Tensor3D, weights: LSTMWeightTensors, initial: FusedLSTMOptions['initial']): void {
  const [batch, time, inputSize] = inputs.shape
  const hiddenSize = weights.weightHh.shape[1]
  if (inputs.shape.length !== 3 || inputs.size === 0 || !(hiddenSize > 0)) {
    throw new KernelShapeError(
      `inputs has shape [${inputs.shape}], weightHh [${weights.weightHh.shape}]; expected [N, T, I] and [4·H, H]`,
    )
  }
  const { weightIh, weightHh, biasIh, biasHh } = weights
  if ((biasIh === undefined) !== (biasHh === undefined))
    throw new KernelShapeError('one bias without the other; pass both or none')
  const expected: [string, Tensor | undefined, number[]][] = [
    ['weightIh', weightIh, [4 * hiddenSize, inputSize]],
    ['weightHh', weightHh, [4 * hiddenSize, hiddenSize]],
    ['biasIh', biasIh, [4 * hiddenSize]],
    ['biasHh', biasHh, [4 * hiddenSize]],
    ['initial.h', initial?.h, [batch, hiddenSize]],
    ['initial.c', initial?.c, [batch, hiddenSize]],
  ]
  for (const [name, found, shape] of expected) {
    if (found && (found.shape.join() !== shape.join() || found.dtype !== 'float32')) {
      throw new KernelShapeError(
        `${name} is ${found.dtype} [${found.shape}], expected float32 [${shape}] for inputs [${[batch, time, inputSize]}] and ${hiddenSize} hidden units`,
      )
    }
  }
}

/** Whether {@link fusedLSTM} runs on the current backend, and the kernels are not switched off. */
export function canFuse(): boolean {
  return getKernel(KERNEL, getBackend()) !== undefined && currentEngine() !== null
}

function forwardKernel(inputs: Inputs, backend: KernelBackend, attributes: Attributes): TensorInfo[] {
  const { reverse, returnOutput, returnCell, save } = attributes
  const lstm = currentEngine()
  if (lstm === null) throw new KernelStateError('the kernels are switched off; call configureKernels({ path: "auto" })')
  const [batch, time, inputSize] = inputs.x.shape
  const hiddenSize = inputs.weightHh.shape[1]
  const { weightIh, weightHh, biasIh, biasHh, h0, c0 } = inputs
  const keyed = [weightIh, weightHh, ...(biasIh && biasHh ? [biasIh, biasHh] : [])]
  endLoans()
  releaseFinished()
  const { output, h, c, saved } = lstm.forward(
    { batch, time, inputSize, hiddenSize, reverse },
    {
      x: read(backend, inputs.x),
      weightsKey: keyed.map(({ dataId }) => dataId),
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
  const states = [batch, hiddenSize]
  return [
    writeLent(backend, h, states),
    write(backend, Float32Array.of(saved ? remember(saved) : 0), [1]),
    ...(returnCell ? [writeLent(backend, c, states)] : []),
    ...(output ? [writeLent(backend, output, [batch, time, hiddenSize])] : []),
  ]
}

/** Which of the kernel's outputs is the number of the saved pass. */
const HANDLE = 1

interface Attributes {
  reverse: boolean
  returnOutput: boolean
  returnCell: boolean
  save: boolean
}

function gradient(dy: Tensor[], saved: Tensor[], attributes: Attributes): Record<string, () => Tensor> {
  const [dH, , ...rest] = dy
  const dC = attributes.returnCell ? rest.shift() : undefined
  const [dOutput] = rest
  const pass = recall(readValues(saved[0])[0])
  if (pass === undefined) {
    throw new KernelStateError(
      'the forward pass of this gradient was given up; take gradients before many other tapes begin',
    )
  }
  const once = backwardOnce(pass, dH, dC, dOutput)
  const [batch, hiddenSize] = dH.shape
  const inputSize = (): number => once().weightIh.length / (4 * hiddenSize)
  return {
    x: () => {
      once()
      const values = pass.inputGradient()
      return tensorOfLent(values, [batch, values.length / (batch * inputSize()), inputSize()])
    },
    weightIh: () => tensorOfLent(once().weightIh, [4 * hiddenSize, inputSize()]),
    weightHh: () => tensorOfLent(once().weightHh, [4 * hiddenSize, hiddenSize]),
    biasIh: () => tensorOfLent(once().bias, [4 * hiddenSize]),
    biasHh: () => tensorOfLent(once().bias, [4 * hiddenSize]),
    h0: () => tensorOfLent(once().h as Float32Array, [batch, hiddenSize]),
    c0: () => tensorOfLent(once().c as Float32Array, [batch, hiddenSize]),
  }
}

/** TensorFlow.js asks for each gradient by itself; the backward pass computes all of them at the first. */
function backwardOnce(pass: SavedForward, dH: Tensor, dC?: Tensor, dOutput?: Tensor): () => WeightGradients {
  let gradients: WeightGradients | undefined
  return () => {
    gradients ??= pass.backward({
      h: readValues(dH),
      c: dC && readValues(dC),
      output: dOutput && readValues(dOutput),
    })
    return gradients
  }
}

for (const backendName of HOST_BACKENDS) {
  registerKernel({
    kernelName: KERNEL,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) =>
      forwardKernel(inputs as unknown as Inputs, backend as KernelBackend, attrs as unknown as Attributes),
  })
}

registerGradient({
  kernelName: KERNEL,
  outputsToSave: [false, true, false, false],
  gradFunc: (dy, saved, attrs) => gradient(dy as Tensor[], saved, attrs as unknown as Attributes),
})
