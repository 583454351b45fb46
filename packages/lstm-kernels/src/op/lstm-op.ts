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
  type Tensor2D,
  type Tensor3D,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import { currentEngine } from '../configure'
import type { LSTMGradients, SavedForward, WantedGradients } from '../engine'
import { KernelStateError } from '../errors'
import { HOST_BACKENDS, tensorOfLent, write, writeLent } from './host-tensors'
import {
  forwardPass,
  type InitialTensors,
  type LSTMWeightTensors,
  type PassInputs,
  type PassOptions,
  passInputs,
} from './lstm-pass'
import { recall, remember } from './saved-passes'

/** The operation's name in TensorFlow.js's registries. */
const KERNEL = 'RowwiseLSTM'

/** What {@link fusedLSTM} starts from and hands back. */
export interface FusedLSTMOptions {
  /** Read the sequence from its last step to its first. @default false */
  reverse?: boolean
  /** Hidden and cell state before the first step, each `[N, H]`; zeros when absent. */
  initial?: InitialTensors
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
  initial: InitialTensors | undefined,
  attributes: Omit<Attributes, 'save'>,
): Tensor[] {
  const named = passInputs(inputs, weights, initial) as unknown as NamedTensorMap
  const save = engine().isTapeOn()
  const outputs = engine().runKernel(KERNEL, named, { ...attributes, save }) as unknown as Tensor[]
  outputs[HANDLE].dispose() // the tape has a copy
  return outputs
}

/** Whether {@link fusedLSTM} runs on the current backend, and the kernels are not switched off. */
export function canFuse(): boolean {
  return getKernel(KERNEL, getBackend()) !== undefined && currentEngine() !== null
}

function forwardKernel(inputs: PassInputs, backend: KernelBackend, attributes: Attributes): TensorInfo[] {
  const { returnCell } = attributes
  const { output, h, c, saved } = forwardPass(inputs, backend, attributes)
  const states = [inputs.x.shape[0], inputs.weightHh.shape[1]]
  return [
    writeLent(backend, h, states),
    write(backend, Float32Array.of(saved ? remember(saved) : 0), [1]),
    ...(returnCell ? [writeLent(backend, c, states)] : []),
    ...(output ? [writeLent(backend, output, [inputs.x.shape[0], inputs.x.shape[1], states[1]])] : []),
  ]
}

/** Which of the kernel's outputs is the number of the saved pass. */
const HANDLE = 1

interface Attributes extends PassOptions {
  returnCell: boolean
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
      const values = once({ byInputs: true, byInitial: true }).x as Float32Array
      return tensorOfLent(values, [batch, values.length / (batch * inputSize()), inputSize()])
    },
    weightIh: () => tensorOfLent(once().weightIh, [4 * hiddenSize, inputSize()]),
    weightHh: () => tensorOfLent(once().weightHh, [4 * hiddenSize, hiddenSize]),
    biasIh: () => tensorOfLent(once().bias, [4 * hiddenSize]),
    biasHh: () => tensorOfLent(once().bias, [4 * hiddenSize]),
    h0: () => tensorOfLent(once({ byInitial: true }).h as Float32Array, [batch, hiddenSize]),
    c0: () => tensorOfLent(once({ byInitial: true }).c as Float32Array, [batch, hiddenSize]),
  }
}

/**
 * TensorFlow.js asks for each gradient by itself; the backward pass computes all of them at the first. That is the one by the
 * inputs wherever it is wanted at all, else one by the initial state, because these are named first: a pass that is asked for
 * another does not compute them.
 */
function backwardOnce(
  pass: SavedForward,
  dH: Tensor,
  dC?: Tensor,
  dOutput?: Tensor,
): (wanted?: WantedGradients) => LSTMGradients {
  let gradients: LSTMGradients | undefined
  return (wanted = {}) => {
    const upstream = () => ({ h: readValues(dH), c: dC && readValues(dC), output: dOutput && readValues(dOutput) })
    gradients ??= pass.backward(upstream(), wanted)
    return gradients
  }
}

for (const backendName of HOST_BACKENDS) {
  registerKernel({
    kernelName: KERNEL,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) =>
      forwardKernel(inputs as unknown as PassInputs, backend as KernelBackend, attrs as unknown as Attributes),
  })
}

registerGradient({
  kernelName: KERNEL,
  outputsToSave: [false, true, false, false],
  gradFunc: (dy, saved, attrs) => gradient(dy as Tensor[], saved, attrs as unknown as Attributes),
})
