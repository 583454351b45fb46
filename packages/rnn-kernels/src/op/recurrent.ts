import { copiedTensor, filledTensor, HOST_BACKENDS, hostTensor } from '@rowwise/host-values'
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
import { GATES, hasCellState } from '../cell'
import { composedRecurrent } from '../composed/composed'
import { currentRuntime } from '../configure'
import type { RecurrentGradients, SavedPass } from '../runtime'
import { isHigherOrder } from './higher-order'
import { checkPass, checkShapes, hiddenSizeOf, type PassAttributes, type PassInputs, passInputs } from './inputs'
import { writeKerasGradient } from './keras-layout'
import { forwardPass, moveHere, read } from './pass'
import { keepWithTape } from './reserve'
import type { InitialTensors, RecurrentOptions, RecurrentOutputs, RecurrentWeightTensors } from './types'

const FORWARD = 'RowwiseRecurrent'
const GRADIENT = 'RowwiseRecurrentGrad'

/** What the forward operation is told beside its inputs; it leaves what the gradient needs in `saved`. */
interface Attributes extends PassAttributes {
  save: boolean
  /** `[N, T, I]` */
  inputShape: number[]
  saved: { pass?: SavedPass; gradients?: RecurrentGradients }
}

/** What the gradient operation is told: which gradient, of which shape, of which pass. */
interface GradientAttributes {
  name: keyof RecurrentGradients
  shape: number[]
  saved: Attributes['saved']
  /** Writes the gradient where it is not in the kernels' layout. */
  write?(gradients: RecurrentGradients, to: Float32Array): void
}

/**
 * The outputs of the forward operation: the final hidden state, what stands for the saved pass, the cell state, all
 * hidden states.
 */
type Outputs<T> = [h: T, reserve: T, ...rest: T[]]

/**
 * One direction of one recurrent layer, differentiable: the numbers of `torch.nn.LSTM`, `torch.nn.GRU` and
 * `torch.nn.RNN`. Where tensors are in this process's memory (the wasm and the cpu backend) it is one operation of
 * TensorFlow.js, computed by the kernels; elsewhere a graph of TensorFlow.js operations. Gradients with respect to the
 * inputs and the initial state are computed only when they are asked for.
 *
 * @param inputs float32 `[N, T, I]`
 * @param weights as PyTorch lays them out
 * @returns tensors that the caller disposes
 * @throws {@link KernelOptionError} for an unknown cell or activation, {@link KernelShapeError} when a tensor does not
 * fit or is disposed, {@link KernelLengthsError} when lengths do not, {@link KernelMemoryError} when the batch is too
 * large for WebAssembly's memory.
 * @example
 * ```ts
 * const weights = { weightIh, weightHh, biasIh, biasHh }
 * const { output, h } = recurrent(inputs, weights, { cell: 'gru', lengths: [5, 3] }) // [2, T, H], [2, H]
 * ```
 */
export function recurrent(
  inputs: Tensor3D,
  weights: RecurrentWeightTensors,
  options: RecurrentOptions,
): RecurrentOutputs {
  const attributes = checkPass('recurrent', 'pytorch', inputs, weights, options, checkShapes)
  const { lengths } = attributes
  if (!canFuse() || isHigherOrder() || weights.weightHr)
    return composedRecurrent(inputs, weights, { ...options, lengths })
  return runRecurrent(inputs, weights, attributes, options.initial)
}

/** The operation, after everything was checked. */
export function runRecurrent(
  inputs: Tensor3D,
  weights: Parameters<typeof passInputs>[1],
  attributes: PassAttributes,
  initial: InitialTensors | undefined,
): RecurrentOutputs {
  const { cell, returnOutput } = attributes
  const named = passInputs(inputs, weights, initial)
  moveHere(named)
  const saved: Attributes['saved'] = {}
  const save = engine().isTapeOn()
  const outputs = engine().runKernel(
    FORWARD,
    named as unknown as NamedTensorMap,
    {
      ...attributes,
      save,
      saved,
      inputShape: inputs.shape,
    } as object as never,
  )
  const [h, reserve, ...rest] = outputs as unknown as Outputs<Tensor>
  if (saved.pass) keepWithTape(saved.pass)
  reserve.dispose() // the tape has a copy
  return {
    h: h as Tensor2D,
    ...(hasCellState(cell) && { c: rest.shift() as Tensor2D }),
    ...(returnOutput && { output: rest.shift() as Tensor3D }),
  }
}

/** Whether {@link recurrent} is one operation on the current backend, and the kernels are not switched off. */
export function canFuse(): boolean {
  return getKernel(FORWARD, getBackend()) !== undefined && currentRuntime() !== null
}

function forwardKernel(
  inputs: PassInputs & { x: TensorInfo },
  backend: KernelBackend,
  attributes: Attributes,
): Outputs<TensorInfo> {
  const { output, h, c, saved } = forwardPass(inputs, backend, attributes, attributes.save)
  attributes.saved.pass = saved
  const [batch, time] = inputs.x.shape
  const hiddenSize = hiddenSizeOf(inputs.weightHh.shape, attributes.layout)
  return [
    copiedTensor(h, [batch, hiddenSize]),
    hostTensor(new Float32Array(1), [1]),
    ...(c ? [copiedTensor(c, [batch, hiddenSize])] : []),
    ...(output ? [copiedTensor(output, [batch, time, hiddenSize])] : []),
  ]
}

/**
 * TensorFlow.js asks for each gradient by itself. The first computes all of them; the others read them before the
 * runtime's next call. That is the one with respect to the inputs wherever it is wanted at all, else one with respect
 * to the initial state, because these are named first: a pass that is asked for another does not compute them.
 */
function gradientKernel(
  upstream: Record<'h' | 'c' | 'output', TensorInfo>,
  backend: KernelBackend,
  attributes: GradientAttributes,
): TensorInfo {
  const { name, shape, saved, write } = attributes
  if (saved.gradients === undefined) {
    const { h, c, output } = upstream
    const values = (info: TensorInfo | undefined): Float32Array | undefined => info && read(backend, info).slice()
    const wanted = { x: name === 'x', initial: name === 'x' || name === 'h' || name === 'c' }
    saved.gradients = (saved.pass as SavedPass).backward({ h: values(h), c: values(c), output: values(output) }, wanted)
  }
  const { gradients } = saved
  if (write) return filledTensor(shape, (to) => write(gradients, to))
  return copiedTensor(gradients[name] as Float32Array, shape)
}

function gradient(dy: Tensor[], attributes: Attributes): Record<string, () => Tensor> {
  const { cell, returnOutput, saved, layout, inputShape } = attributes
  const [h, , ...rest] = dy
  const c = hasCellState(cell) ? rest.shift() : undefined
  const output = returnOutput ? rest.shift() : undefined
  const upstream = { h, ...(c && { c }), ...(output && { output }) } as unknown as NamedTensorMap
  const [batch, hiddenSize] = h.shape
  saved.gradients = undefined
  const by = (name: keyof RecurrentGradients, shape: number[], write?: GradientAttributes['write']) => (): Tensor =>
    engine().runKernel(GRADIENT, upstream, { name, shape, saved, write } as object as never) as Tensor
  const rows = GATES[cell] * hiddenSize
  const states = {
    x: by('x', inputShape),
    h0: by('h', [batch, hiddenSize]),
    c0: by('c', [batch, hiddenSize]),
  }
  if (layout === 'keras') {
    const ofKeras = (name: 'weightIh' | 'weightHh' | 'biasIh', ...shape: number[]): (() => Tensor) =>
      by(name, shape, (gradients, to) => writeKerasGradient(cell, hiddenSize, name, gradients, to))
    return {
      ...states,
      weightIh: ofKeras('weightIh', inputShape[2], rows),
      weightHh: ofKeras('weightHh', hiddenSize, rows),
      biasIh: ofKeras('biasIh', ...(cell === 'gru' ? [2, rows] : [rows])),
    }
  }
  return {
    ...states,
    weightIh: by('weightIh', [rows, inputShape[2]]),
    weightHh: by('weightHh', [rows, hiddenSize]),
    biasIh: by('biasIh', [rows]),
    biasHh: by('biasHh', [rows]),
  }
}

for (const backendName of HOST_BACKENDS) {
  registerKernel({
    kernelName: FORWARD,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) =>
      forwardKernel(inputs as never, backend as KernelBackend, attrs as unknown as Attributes),
  })
  registerKernel({
    kernelName: GRADIENT,
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) =>
      gradientKernel(inputs as never, backend as KernelBackend, attrs as unknown as GradientAttributes),
  })
}

registerGradient({
  kernelName: FORWARD,
  outputsToSave: [false, true, false, false],
  gradFunc: (dy, _saved, attrs) => gradient(dy as Tensor[], attrs as unknown as Attributes),
})
